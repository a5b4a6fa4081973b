package gateway

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// contentTypes is what the build makes. The table of the machine is not
// asked: it differs from one to the next. A name with another ending does not
// exist for a browser, which also hides the compressed twins.
var contentTypes = map[string]string{
	".css":         "text/css; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".ico":         "image/x-icon",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".png":         "image/png",
	".svg":         "image/svg+xml",
	".txt":         "text/plain; charset=utf-8",
	".webmanifest": "application/manifest+json",
	".webp":        "image/webp",
	".woff2":       "font/woff2",
}

// encodings lists the twins of a file, smallest first.
var encodings = []struct{ name, suffix string }{{"br", ".br"}, {"gzip", ".gz"}}

// servePage answers with the file of that name under app, "" being index.html,
// which nobody may frame.
func (g *Gateway) servePage(w http.ResponseWriter, r *http.Request, app, name string) {
	g.serveFramed(w, r, app, name, "'none'")
}

// serveFramed does so for a page that the ancestors may frame.
func (g *Gateway) serveFramed(w http.ResponseWriter, r *http.Request, app, name, ancestors string) {
	if name == "" {
		name = "index.html"
	}
	contentType, known := contentTypes[path.Ext(name)]
	// ValidPath refuses "..", ".", empty elements and a leading slash, so that
	// no name leads out of the application.
	if !known || !fs.ValidPath(name) {
		notFound.write(w)
		return
	}
	file := app + name
	body, err := g.read(file)
	if errors.Is(err, fs.ErrNotExist) {
		notFound.write(w)
		return
	}
	h := w.Header()
	page := path.Ext(name) == ".html"
	if err == nil && page {
		var nonce string
		body, nonce = withNonce(body)
		if g.hosts.Demo {
			body = bytes.Replace(body, []byte("<html"), []byte(`<html data-demo="DEMO"`), 1) // parts.css shows it
		}
		h.Set("Content-Security-Policy", pagePolicy(nonce, ancestors))
	}
	if path.Ext(name) == ".js" {
		h.Set("Content-Security-Policy", scriptPolicy)
	}
	if err == nil && !page { // a page is filled for each answer, so it has no twin
		accepted := acceptedEncodings(r.Header.Values("Accept-Encoding"))
		for _, encoding := range encodings {
			if !accepted(encoding.name) {
				continue
			}
			twin, twinErr := g.read(file + encoding.suffix)
			if errors.Is(twinErr, fs.ErrNotExist) {
				continue
			}
			if err = twinErr; err == nil {
				h.Set("Content-Encoding", encoding.name)
				body = twin
			}
			break
		}
	}
	if err != nil {
		g.log.Error("a file of a page cannot be read", "file", file, "error", err)
		unreadable.write(w)
		return
	}
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", cacheControl(file))
	send(w, contentType, body)
}

// serveConsole answers with a file of the console, and for every other address
// with its page: the console itself knows which of them it has.
func (g *Gateway) serveConsole(w http.ResponseWriter, r *http.Request, name string) {
	if path.Ext(name) == "" {
		name = ""
	}
	g.servePage(w, r, "console/", name)
}

// read returns a regular file; whatever else has that name does not exist.
func (g *Gateway) read(file string) ([]byte, error) {
	info, err := fs.Stat(g.pages, file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fs.ErrNotExist
	}
	return fs.ReadFile(g.pages, file)
}

// cacheControl: the names under assets/ and of the loaders carry the hash of
// their content and may be kept for ever; a page names them and must be the newest.
func cacheControl(file string) string {
	switch {
	case file == "loader/"+newestLoader:
		return "public, max-age=300"
	case strings.Contains(file, "/assets/"), strings.HasPrefix(file, "loader/"):
		return "public, max-age=31536000, immutable"
	case path.Ext(file) == ".html":
		return "no-store"
	}
	return "no-cache"
}

// acceptedEncodings reads Accept-Encoding (RFC 9110 section 12.5.3). Weights
// above zero count alike: of what a browser takes, the server sends the
// smallest. What is malformed is not accepted.
func acceptedEncodings(headers []string) func(encoding string) bool {
	weights := map[string]bool{}
	for element := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		coding, parameter, weighted := strings.Cut(element, ";")
		accepted := true
		if weighted {
			key, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
			weight, err := strconv.ParseFloat(value, 64)
			accepted = strings.EqualFold(key, "q") && err == nil && 0 < weight && weight <= 1
		}
		weights[strings.ToLower(strings.TrimSpace(coding))] = accepted
	}
	return func(encoding string) bool {
		if accepted, named := weights[encoding]; named {
			return accepted
		}
		return weights["*"]
	}
}
