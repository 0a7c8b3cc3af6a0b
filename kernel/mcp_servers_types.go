package kernel

// Chapter 03, MCP servers: the types.

// McpServerId names a configured server; opaque.
type McpServerId string

// McpServerState is the state of the connection to a server.
type McpServerState uint8

const (
	McpServerStatePendingConnect McpServerState = iota
	McpServerStateConnected
	McpServerStateFailed
	// McpServerStateDisconnected: let go on purpose; the server stays listed.
	McpServerStateDisconnected
)
