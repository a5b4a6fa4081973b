package demo

import (
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"slices"
	"sync"
	"time"
)

// mostMails is how many the outbox keeps; the oldest goes.
const mostMails = 200

// Mail is one mail or text message that would be sent.
type Mail struct {
	Kind    string // "mail" or "text"
	To      string // an address or a number
	Subject string
	Text    string
	At      time.Time
}

// Outbox takes what would be sent, and shows it on a page. It is safe for
// concurrent use.
type Outbox struct {
	files fs.FS
	page  *template.Template

	mu    sync.Mutex
	mails []Mail // the newest first
}

// NewOutbox returns an empty one. files holds mail.html and what it loads.
func NewOutbox(files fs.FS) (*Outbox, error) {
	page, err := template.ParseFS(files, "mail.html")
	if err != nil {
		return nil, fmt.Errorf("the page of the sample mails: %w", err)
	}
	return &Outbox{files: files, page: page}, nil
}

// Send keeps a mail until the process ends.
func (o *Outbox) Send(m Mail) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mails = slices.Insert(o.mails, 0, m)
	o.mails = o.mails[:min(len(o.mails), mostMails)]
}

// ServeHTTP answers on the host of the sample mails.
func (o *Outbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'")
	switch r.URL.Path {
	case "/":
		o.mu.Lock()
		mails := slices.Clone(o.mails)
		o.mu.Unlock()
		render(w, o.page, "mail.html", struct {
			Language string
			Mails    []Mail
		}{preferred(r), mails})
	case "/bank.css", "/icon.svg":
		asset(w, o.files, r.URL.Path[1:])
	default:
		nothing(w)
	}
}
