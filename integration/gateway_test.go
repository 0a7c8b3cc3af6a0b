//go:build unix

package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
)

// gateway starts a gateway process. It returns when the gateway serves.
func (w *world) gateway(on *host) (p *process, url string) {
	w.t.Helper()
	addr := on.freeAddress(w.t, "8080")
	p = run(w.t, on, "gateway", "gateway", "--server=nats://"+w.addr, "--namespace="+w.ns.Name(), "--http="+addr,
		"--private="+on.address("0"), "--log-level=debug")
	url = "http://" + addr
	w.until(30*time.Second, "the gateway is ready", func() bool {
		resp, err := http.Get(url + "/readyz")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return p, url
}

// through publishes through a gateway and waits a while for the outcome. Whatever else the
// gateway answers than 200 or 202, the event is sent again.
func (l *ledger) through(url string) sender {
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	return func(ctx context.Context, session string, ev event.Event) error {
		body, err := json.Marshal(ev)
		if err != nil {
			return err
		}
		return l.insist(ctx, session, ev, func(ctx context.Context) error {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost,
				fmt.Sprintf("%s/v1/namespaces/%s/sessions/%s/events", url, l.w.ns.Name(), session), bytes.NewReader(body))
			if err != nil {
				return err
			}
			req.Header.Set("Content-Type", event.ApplicationCloudEventsJSON)
			req.Header.Set("Prefer", "wait=3")
			resp, err := client.Do(req)
			if err != nil {
				return err
			}
			defer func() { _ = resp.Body.Close() }()
			data, err := io.ReadAll(resp.Body)
			if err != nil {
				return err
			}
			switch resp.StatusCode {
			case http.StatusOK:
				var answer struct {
					Outcome string `json:"terminal_outcome"`
				}
				if err := json.Unmarshal(data, &answer); err != nil || answer.Outcome == "" {
					l.w.t.Errorf("%s/%s: the gateway's answer is no terminal outcome: %s", session, ev.ID(), data)
				}
				l.mu.Lock()
				l.told[session+"/"+ev.ID()] = answer.Outcome
				l.mu.Unlock()
				return nil
			case http.StatusAccepted:
				return nil
			}
			return fmt.Errorf("gateway: %s: %s", resp.Status, data)
		})
	}
}
