package gateway

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// HandlerOn is [Gateway.Handler] for a server that listens at addr. If that is the loopback it
// refuses what asks for another host: a page on the web may have its own name point to the
// loopback (DNS rebinding), and is then of the same site to its visitor's browser. All that
// betrays it is its name in Host.
func (g *Gateway) HandlerOn(addr net.Addr) http.Handler {
	if !loopback(hostOf(addr.String())) {
		return g.Handler()
	}
	return g.hurried(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.known(hostOf(r.Host)) {
			problem(w, http.StatusMisdirectedRequest, "host_not_served",
				"this gateway listens on the loopback and does not go by the name %q (Host); --allow-host gives it that name", r.Host)
			return
		}
		g.handler.ServeHTTP(w, r)
	}))
}

// known tells whether a request for host may be meant for a gateway on the loopback. One
// without a host is of no browser.
func (g *Gateway) known(host string) bool {
	same := func(name string) bool { return strings.EqualFold(name, host) }
	return host == "" || same("localhost") || loopback(host) || slices.ContainsFunc(g.cfg.Hosts, same)
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// hostOf is the host of an address, without the brackets of IPv6 and the dot at its end.
func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(address, "["), "]") // it has no port
	}
	return strings.TrimSuffix(host, ".")
}
