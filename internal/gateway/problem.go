package gateway

import (
	"net/http"
	"strconv"
)

// problem is an answer that refuses, as problem details (RFC 9457). Its texts
// are constants without characters that JSON escapes.
type problem struct {
	status        int
	title, detail string
}

var (
	notFound = problem{
		http.StatusNotFound, "There is nothing at this address",
		"Open the address that the server printed when it started.",
	}
	wrongMethod = problem{
		http.StatusMethodNotAllowed, "This address can only be read",
		"Use GET or HEAD.",
	}
	misdirected = problem{
		http.StatusMisdirectedRequest, "This server does not answer for that host",
		"Open the address that the server printed when it started: it answers to its own names only.",
	}
	notReady = problem{
		http.StatusServiceUnavailable, "The server cannot take messages",
		"The log of the server says why.",
	}
	unreadable = problem{
		http.StatusInternalServerError, "A file of this page cannot be read",
		"The log of the server says why.",
	}
)

func (p problem) write(w http.ResponseWriter) {
	body := `{"type":"about:blank","title":"` + p.title + `","status":` + strconv.Itoa(p.status) +
		`,"detail":"` + p.detail + `"}` + "\n"
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(p.status)
	// A write fails when the browser has gone, and then nobody is left to tell.
	_, _ = w.Write([]byte(body))
}
