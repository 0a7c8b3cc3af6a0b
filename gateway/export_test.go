package gateway

import (
	"mime"
	"net/http"

	"github.com/cloudevents/sdk-go/v2/event"
)

// Routes lists the routes as "METHOD path".
func Routes() []string {
	var all []string
	for _, r := range (&Gateway{}).routes() {
		all = append(all, r.method+" "+r.path)
	}
	return all
}

// DecodeForTest reads the event of a request.
func DecodeForTest(r *http.Request, body []byte) (event.Event, error) {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return decode(r, media, body)
}
