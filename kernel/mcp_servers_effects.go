package kernel

// Chapter 03, MCP servers: the effects.

// McpServerStateChanged announces the state of a server, also when it is the one it had.
type McpServerStateChanged struct {
	ServerID McpServerId    `json:"server_id"`
	NewState McpServerState `json:"new_state"`
}

func (McpServerStateChanged) EffectDisposition() Disposition { return External }

// McpServerReloadRequested asks for a server to be connected anew.
type McpServerReloadRequested struct {
	ServerID McpServerId `json:"server_id"`
}

func (McpServerReloadRequested) EffectDisposition() Disposition { return External }
