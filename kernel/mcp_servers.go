package kernel

// Chapter 03, MCP servers: the connection state of each configured server, reported by
// whoever connects to it. Any state may follow any other. A report that arrives after
// the session was unregistered is accepted in Idle and does nothing: a connect task that
// finishes late is not an error.

// McpServerConnectPending says that a server is being connected. Runtime-internal,
// chapter 03.
type McpServerConnectPending struct {
	ServerID McpServerId `json:"server_id"`
}

func (in *McpServerConnectPending) step(k *Kernel, s *State) {
	switch {
	case k.rule("McpServerConnectPending", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()):

		s.McpServerStates.put(in.ServerID, McpServerStatePendingConnect)
		k.emit(McpServerStateChanged{ServerID: in.ServerID, NewState: McpServerStatePendingConnect})

	case k.rule("McpServerConnectPendingAfterUnregister", Idle, Idle) &&
		k.guard("session_unregistered", s.SessionID.IsNone()):
	}
}

// McpServerConnected says that a server is usable. Runtime-internal, chapter 03.
type McpServerConnected struct {
	ServerID McpServerId `json:"server_id"`
}

func (in *McpServerConnected) step(k *Kernel, s *State) {
	switch {
	case k.rule("McpServerConnected", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()):

		s.McpServerStates.put(in.ServerID, McpServerStateConnected)
		k.emit(McpServerStateChanged{ServerID: in.ServerID, NewState: McpServerStateConnected})

	case k.rule("McpServerConnectedAfterUnregister", Idle, Idle) &&
		k.guard("session_unregistered", s.SessionID.IsNone()):
	}
}

// McpServerFailed says that a server could not be connected or was lost. Error is
// neither kept nor passed on. Runtime-internal, chapter 03.
type McpServerFailed struct {
	ServerID McpServerId `json:"server_id"`
	Error    string      `json:"error"`
}

func (in *McpServerFailed) step(k *Kernel, s *State) {
	switch {
	case k.rule("McpServerFailed", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()):

		s.McpServerStates.put(in.ServerID, McpServerStateFailed)
		k.emit(McpServerStateChanged{ServerID: in.ServerID, NewState: McpServerStateFailed})

	case k.rule("McpServerFailedAfterUnregister", Idle, Idle) &&
		k.guard("session_unregistered", s.SessionID.IsNone()):
	}
}

// McpServerDisconnected says that a server was let go. Its entry stays.
// Runtime-internal, chapter 03.
type McpServerDisconnected struct {
	ServerID McpServerId `json:"server_id"`
}

func (in *McpServerDisconnected) step(k *Kernel, s *State) {
	switch {
	case k.rule("McpServerDisconnected", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()):

		s.McpServerStates.put(in.ServerID, McpServerStateDisconnected)
		k.emit(McpServerStateChanged{ServerID: in.ServerID, NewState: McpServerStateDisconnected})

	case k.rule("McpServerDisconnectedAfterUnregister", Idle, Idle) &&
		k.guard("session_unregistered", s.SessionID.IsNone()):
	}
}

// McpServerReload asks for a server to be connected anew. Runtime-internal, chapter 03.
type McpServerReload struct {
	ServerID McpServerId `json:"server_id"`
}

func (in *McpServerReload) step(k *Kernel, s *State) {
	switch {
	case k.rule("McpServerReload", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()):

		s.McpServerStates.put(in.ServerID, McpServerStatePendingConnect)
		k.emit(McpServerReloadRequested{ServerID: in.ServerID})
		k.emit(McpServerStateChanged{ServerID: in.ServerID, NewState: McpServerStatePendingConnect})

	case k.rule("McpServerReloadAfterUnregister", Idle, Idle) &&
		k.guard("session_unregistered", s.SessionID.IsNone()):
	}
}
