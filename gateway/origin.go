package gateway

import "net/http"

// sameOrigin refuses what a page of another site has a browser send: a form or a script may
// post a body that needs nobody's leave, such as text/plain, to any address its visitor
// reaches, the loopback among them. Clients that are no browsers say nothing of a site, and
// pass. Only what changes something is refused; a page cannot read what else it asks for.
func sameOrigin(trusted []string) (*http.CrossOriginProtection, error) {
	p := http.NewCrossOriginProtection()
	for _, origin := range trusted {
		if err := p.AddTrustedOrigin(origin); err != nil {
			return nil, err
		}
	}
	p.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		problem(w, http.StatusForbidden, "cross_origin", "a page of another site (Origin %q) may not send this to %q; --allow-origin names the sites that may", r.Header.Get("Origin"), r.Host)
	}))
	return p, nil
}
