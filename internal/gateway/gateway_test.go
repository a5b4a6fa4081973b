package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/aldaba-chat/aldaba/internal/gateway"
)

const port = 8080

var pages = fstest.MapFS{
	"MANIFEST":                     {Data: []byte("list")},
	"secret.txt":                   {Data: []byte("outside")},
	"widget/index.html":            {Data: []byte("visitor")},
	"widget/icon.svg":              {Data: []byte("icon")},
	"widget/icon.svg.gz":           {Data: []byte("icon gz")},
	"widget/notes.unknown":         {Data: []byte("of no known type")},
	"widget/assets/app-1a2b.js":    {Data: []byte("script")},
	"widget/assets/app-1a2b.js.br": {Data: []byte("script br")},
	"widget/assets/app-1a2b.js.gz": {Data: []byte("script gz")},
	"widget/assets/app-1a2b.css":   {Data: []byte("style")},
	"widget/assets/folder.js/x":    {Data: []byte("a folder that ends like a file")},
	"console/index.html":           {Data: []byte("agent <script nonce=ALDABA-NONCE>")},
	"console/index.html.br":        {Data: []byte("agent br")},
	"console/assets/app-9z.js":     {Data: []byte("agent script")},
}

// ask sends a request as it arrives at 127.0.0.1:8080.
func ask(t *testing.T, h http.Handler, change func(*http.Request), method, path string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, "/", nil)
	r.URL.Path, r.Host = path, "chat.aldaba.localhost:8080"
	local := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}
	r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, local))
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, response *http.Response) string {
	t.Helper()
	var b bytes.Buffer
	if _, err := b.ReadFrom(response.Body); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestGateway_Routes(t *testing.T) {
	h := gateway.New(gateway.Options{Pages: pages, Version: "1.2.3-x+y_z"})
	const immutable = "public, max-age=31536000, immutable"
	for _, c := range []struct {
		path, contentType, cache, body string
	}{
		{"/c/", "text/html; charset=utf-8", "no-store", "visitor"},
		{"/c/index.html", "text/html; charset=utf-8", "no-store", "visitor"},
		{"/c/icon.svg", "image/svg+xml", "no-cache", "icon"},
		{"/c/assets/app-1a2b.js", "text/javascript; charset=utf-8", immutable, "script"},
		{"/c/assets/app-1a2b.css", "text/css; charset=utf-8", immutable, "style"},
		{"/livez", "text/plain; charset=utf-8", "no-store", "ok\n"},
		{"/readyz", "text/plain; charset=utf-8", "no-store", "ok\n"},
		{"/v1/health", "application/json", "no-store", `{"status":"ok","version":"1.2.3-x+y_z"}` + "\n"},
	} {
		t.Run(c.path, func(t *testing.T) {
			response := ask(t, h, nil, "GET", c.path)
			same(t, "status", response.StatusCode, 200)
			same(t, "Content-Type", response.Header.Get("Content-Type"), c.contentType)
			same(t, "Cache-Control", response.Header.Get("Cache-Control"), c.cache)
			same(t, "Content-Length", response.ContentLength, int64(len(c.body)))
			same(t, "body", body(t, response), c.body)
		})
	}
	response := ask(t, h, nil, "GET", "/")
	same(t, "status of /", response.StatusCode, 307)
	same(t, "Location of /", response.Header.Get("Location"), "/c/")
}

// The name in Host decides what there is: visitors' pages and staff's pages
// have nothing in common but the state of health.
func TestGateway_Places(t *testing.T) {
	local := gateway.Hosts{}
	demo := gateway.Hosts{Demo: true}
	real := gateway.Hosts{Chat: "https://chat.example.com", Console: "https://desk.example.com:8443"}
	for _, c := range []struct {
		hosts      gateway.Hosts
		host, path string
		status     int
		body       string
	}{
		{local, "chat.aldaba.localhost:8080", "/c/", 200, "visitor"},
		{local, "chat.aldaba.localhost:8080", "/inbox", 404, ""},
		{local, "console.aldaba.localhost:8080", "/", 200, "agent"},
		{local, "console.aldaba.localhost:8080", "/settings/people", 200, "agent"},
		{local, "console.aldaba.localhost:8080", "/assets/app-9z.js", 200, "agent script"},
		{local, "console.aldaba.localhost:8080", "/assets/none.js", 404, ""},
		{local, "console.aldaba.localhost:8080", "/c/", 200, "agent"},
		{local, "ana.aldaba.localhost:8080", "/", 421, ""},
		{demo, "ana.aldaba.localhost:8080", "/", 200, "agent"},
		{demo, "a.b.aldaba.localhost:8080", "/", 421, ""},
		{demo, "chat.aldaba.localhost:8080", "/c/", 200, "visitor"},
		{real, "chat.example.com", "/c/", 200, "visitor"},
		{real, "Chat.Example.Com", "/c/", 200, "visitor"},
		{real, "desk.example.com:8443", "/", 200, "agent"},
		{real, "desk.example.com", "/", 421, ""},
		{real, "chat.aldaba.localhost:8080", "/c/", 421, ""},
		{real, "console.aldaba.localhost:8080", "/", 421, ""},
		{local, "127.0.0.1:8080", "/c/", 404, ""},
		{local, "127.0.0.1:8080", "/livez", 200, "ok"},
		{local, "localhost:8080", "/", 307, ""},
	} {
		t.Run(c.host+c.path, func(t *testing.T) {
			h := gateway.New(gateway.Options{Pages: pages, Version: "1", Hosts: c.hosts})
			response := ask(t, h, func(r *http.Request) { r.Host = c.host }, "GET", c.path)
			same(t, "status", response.StatusCode, c.status)
			if got := body(t, response); c.body != "" && !strings.HasPrefix(got, c.body) {
				t.Errorf("got %q", got)
			}
		})
	}
	h := gateway.New(gateway.Options{Pages: pages, Version: "1"})
	response := ask(t, h, func(r *http.Request) { r.Host = "127.0.0.1:8080" }, "GET", "/")
	same(t, "the way to the pages", response.Header.Get("Location"), "http://chat.aldaba.localhost:8080/c/")
}

// A page carries a nonce of its own, and only scripts with it run [X53].
func TestGateway_Nonce(t *testing.T) {
	h := gateway.New(gateway.Options{Pages: pages, Version: "1"})
	seen := map[string]bool{}
	for range 20 {
		response := ask(t, h, func(r *http.Request) {
			r.Host = "console.aldaba.localhost:8080"
			r.Header.Set("Accept-Encoding", "br")
		}, "GET", "/")
		same(t, "Content-Encoding", response.Header.Get("Content-Encoding"), "")
		nonce, ok := strings.CutPrefix(body(t, response), "agent <script nonce=")
		nonce = strings.TrimSuffix(nonce, ">")
		policy := response.Header.Get("Content-Security-Policy")
		if !ok || len(nonce) != 22 || seen[nonce] || !strings.Contains(policy, "script-src 'nonce-"+nonce+"' 'strict-dynamic';") {
			t.Fatalf("nonce %q, policy %q", nonce, policy)
		}
		for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types aldaba-worker", "base-uri 'none'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("the policy of a page leaves %s out: %s", part, policy)
			}
		}
		seen[nonce] = true
	}
}

// Every page of a demonstration says so, and no other page does.
func TestGateway_DemoSaysSo(t *testing.T) {
	pages := fstest.MapFS{
		"widget/index.html":  {Data: []byte("<!doctype html><html lang=\"es\"><p>")},
		"console/index.html": {Data: []byte("<!doctype html><html lang=\"es\"><p>")},
	}
	for _, demo := range []bool{true, false} {
		h := gateway.New(gateway.Options{Pages: pages, Version: "1", Hosts: gateway.Hosts{Demo: demo}})
		for host, path := range map[string]string{"chat": "/c/", "console": "/"} {
			page := body(t, ask(t, h, func(r *http.Request) { r.Host = host + ".aldaba.localhost:8080" }, "GET", path))
			if strings.Contains(page, `<html data-demo="DEMO" lang="es">`) != demo {
				t.Errorf("demo %v: %s has %s", demo, host, page)
			}
		}
	}
}

func TestGateway_NotReady(t *testing.T) {
	var log bytes.Buffer
	h := gateway.New(gateway.Options{
		Pages: pages, Version: "1", Ready: func() error { return errors.New("disk on fire") },
		Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	response := ask(t, h, nil, "GET", "/readyz")
	same(t, "status", response.StatusCode, 503)
	expectProblem(t, response)
	if !strings.Contains(log.String(), "disk on fire") {
		t.Errorf("the log does not say why: %s", log.String())
	}
	same(t, "livez", ask(t, h, nil, "GET", "/livez").StatusCode, 200)
}

// A name that does not exist, a folder, a twin and every way out of an
// application's folder have the same answer.
func TestGateway_NotFound(t *testing.T) {
	h := gateway.New(gateway.Options{Pages: pages, Version: "1"})
	for _, path := range []string{
		"", "/c", "/x", "/v1/health/", "/agent/", "/v1", "/MANIFEST", "/C/",
		"/c/none.js", "/c/assets/", "/c/assets/folder.js", "/c/notes.unknown",
		"/c/index.html.br", "/c/assets/app-1a2b.js.gz",
		"/c/../secret.txt", "/c/../console/index.html", "/c/assets/../index.html", "/c/./index.html",
		"/c//index.html", "//c/", "/c/assets//app-1a2b.js", "/c//etc/hosts.txt", `/c/..\secret.txt`,
		"/c/index.html\x00.txt", "/c/index.html/",
	} {
		t.Run(path, func(t *testing.T) {
			response := ask(t, h, nil, "GET", path)
			same(t, "status", response.StatusCode, 404)
			expectProblem(t, response)
		})
	}
}

// Traversal again, as bytes on a connection, past the parser of net/http.
func TestGateway_TraversalOnTheWire(t *testing.T) {
	server := httptest.NewServer(gateway.New(gateway.Options{Pages: pages, Version: "1"}))
	defer server.Close()
	address := server.Listener.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	for _, target := range []string{
		"/c/../secret.txt", "/c/%2e%2e/secret.txt", "/c/..%2fsecret.txt", "/c/%2e%2e%2fconsole/index.html",
		"/c/..%5csecret.txt", "/c/%252e%252e/secret.txt", "/c/assets/..%2f..%2f..%2fsecret.txt",
	} {
		connection, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		connection.Write([]byte("GET " + target + " HTTP/1.1\r\nHost: chat.aldaba.localhost:" + port + "\r\nConnection: close\r\n\r\n"))
		var answer bytes.Buffer
		answer.ReadFrom(connection)
		connection.Close()
		if !strings.HasPrefix(answer.String(), "HTTP/1.1 404 ") || strings.Contains(answer.String(), "outside") {
			t.Errorf("%s: got %q, want 404", target, answer.String())
		}
	}
}

func expectProblem(t *testing.T, response *http.Response) {
	t.Helper()
	same(t, "Content-Type", response.Header.Get("Content-Type"), "application/problem+json")
	same(t, "Cache-Control", response.Header.Get("Cache-Control"), "no-store")
	var problem struct {
		Type, Title, Detail string
		Status              int
	}
	if err := json.Unmarshal([]byte(body(t, response)), &problem); err != nil {
		t.Fatalf("the problem is not JSON: %v", err)
	}
	same(t, "type", problem.Type, "about:blank")
	same(t, "status in the body", problem.Status, response.StatusCode)
	if problem.Title == "" || problem.Detail == "" {
		t.Errorf("a problem without words: %+v", problem)
	}
}

func TestGateway_HeadersOnEveryAnswer(t *testing.T) {
	h := gateway.New(gateway.Options{Pages: pages, Version: "1"})
	want := map[string]string{
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
	}
	const closed = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
	foreign := func(r *http.Request) { r.Host = "evil.example:8080" }
	for _, c := range []struct {
		method, path string
		change       func(*http.Request)
		status       int
	}{
		{"GET", "/", nil, 307},
		{"GET", "/c/", nil, 200},
		{"HEAD", "/c/", nil, 200},
		{"GET", "/c/assets/app-1a2b.js", nil, 200},
		{"GET", "/v1/health", nil, 200},
		{"GET", "/none", nil, 404},
		{"POST", "/c/", nil, 405},
		{"GET", "/c/", foreign, 421},
	} {
		response := ask(t, h, c.change, c.method, c.path)
		same(t, c.method+" "+c.path, response.StatusCode, c.status)
		for name, value := range want {
			same(t, c.method+" "+c.path+": "+name, response.Header.Get(name), value)
		}
		policy := response.Header.Get("Content-Security-Policy")
		// A worker takes its policy from its script.
		opens := map[string]string{"/c/": "script-src 'nonce-", "/c/assets/app-1a2b.js": "script-src 'self';"}[c.path]
		if c.status == 200 && opens != "" {
			if !strings.HasPrefix(policy, "default-src 'none'; "+opens) {
				t.Errorf("%s %s: policy %q", c.method, c.path, policy)
			}
		} else if policy != closed {
			t.Errorf("%s %s: policy %q", c.method, c.path, policy)
		}
		for _, feature := range []string{"camera=()", "microphone=()", "geolocation=()"} {
			if !strings.Contains(response.Header.Get("Permissions-Policy"), feature) {
				t.Errorf("%s %s: Permissions-Policy leaves %s out", c.method, c.path, feature)
			}
		}
		if response.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s %s: another origin may read the answer", c.method, c.path)
		}
	}
}

func TestGateway_Methods(t *testing.T) {
	h := gateway.New(gateway.Options{Pages: pages, Version: "1"})
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "X"} {
		for _, path := range []string{"/", "/c/", "/v1/health", "/none", "*"} {
			response := ask(t, h, func(r *http.Request) { r.Method = method }, "GET", path)
			same(t, method+" "+path, response.StatusCode, 405)
			same(t, "Allow", response.Header.Get("Allow"), "GET, HEAD")
			expectProblem(t, response)
		}
	}
}

func TestGateway_HeadHasNoBody(t *testing.T) {
	server := httptest.NewServer(gateway.New(gateway.Options{Pages: pages, Version: "1"}))
	defer server.Close()
	request, err := http.NewRequest(http.MethodHead, server.URL+"/c/assets/app-1a2b.css", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "chat.aldaba.localhost:" + request.URL.Port()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	same(t, "status", response.StatusCode, 200)
	same(t, "Content-Length", response.ContentLength, int64(len("style")))
	same(t, "body", body(t, response), "")
}

func TestGateway_Hosts(t *testing.T) {
	h := gateway.New(gateway.Options{Pages: pages, Version: "1"})
	for host, own := range map[string]bool{
		"chat.aldaba.localhost:8080":   true,
		"Chat.Aldaba.LocalHost:8080":   true,
		"chat.aldaba.localhost":        false,
		"chat.aldaba.localhost:8081":   false,
		"chat.aldaba.localhost.:8080":  false,
		"chat..aldaba.localhost:8080":  false,
		"x.chat.aldaba.localhost:8080": false,
		"chataldaba.localhost:8080":    false,
		"acme.localhost:8080":          false,
		"":                             false,
		":8080":                        false,
		"127.0.0.1":                    false,
		"localhost":                    false,
		"localhost:8081":               false,
		"localhost:":                   false,
		"localhost:18080":              false,
		"localhost:8080:8080":          false,
		"localhost:08080":              false,
		"localhost.:8080":              false,
		".localhost:8080":              false,
		"a..localhost:8080":            false,
		"notlocalhost:8080":            false,
		"localhost.evil.example:8080":  false,
		"evil.example:8080":            false,
		"evil.example/.localhost:8080": false,
		"127.0.0.1.evil.example:8080":  false,
		"127.0.0.2:8080":               false,
		"0.0.0.0:8080":                 false,
		"::1:8080":                     false,
		"192.168.1.5:8080":             false,
		"user@localhost:8080":          false,
	} {
		want := 421
		if own {
			want = 200
		}
		response := ask(t, h, func(r *http.Request) { r.Host = host }, "GET", "/c/")
		same(t, "host "+host, response.StatusCode, want)
		if !own {
			expectProblem(t, response)
		}
	}
}

func TestGateway_HostOnDefaultPort(t *testing.T) {
	h := gateway.New(gateway.Options{Pages: pages, Version: "1"})
	for host, want := range map[string]int{"chat.aldaba.localhost": 200, "chat.aldaba.localhost:80": 200, "evil.example": 421, "chat.aldaba.localhost:8080": 421} {
		response := ask(t, h, func(r *http.Request) {
			r.Host = host
			local := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}
			*r = *r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, local))
		}, "GET", "/c/")
		same(t, "host "+host, response.StatusCode, want)
	}
}

// Without a listener nobody knows the port, and then no host is right.
func TestGateway_HostWithoutListener(t *testing.T) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/c/", nil)
	r.Host = "chat.aldaba.localhost:8080"
	gateway.New(gateway.Options{Pages: pages, Version: "1"}).ServeHTTP(w, r)
	same(t, "status", w.Code, 421)
}

func TestGateway_Encodings(t *testing.T) {
	h := gateway.New(gateway.Options{Pages: pages, Version: "1"})
	for _, c := range []struct {
		path, accept, encoding, body string
	}{
		{"/c/assets/app-1a2b.js", "", "", "script"},
		{"/c/assets/app-1a2b.js", "gzip, deflate, br, zstd", "br", "script br"},
		{"/c/assets/app-1a2b.js", "gzip", "gzip", "script gz"},
		{"/c/assets/app-1a2b.js", "GZIP;Q=0.5", "gzip", "script gz"},
		{"/c/assets/app-1a2b.js", "br;q=0, gzip", "gzip", "script gz"},
		{"/c/assets/app-1a2b.js", "br; q=0.000, gzip;q=0", "", "script"},
		{"/c/assets/app-1a2b.js", "*", "br", "script br"},
		{"/c/assets/app-1a2b.js", "br;q=0, *;q=0.1", "gzip", "script gz"},
		{"/c/assets/app-1a2b.js", "*;q=0", "", "script"},
		{"/c/assets/app-1a2b.js", "br;q=many, gzip;q=2", "", "script"},
		{"/c/assets/app-1a2b.js", "brotli, xgzip", "", "script"},
		{"/c/assets/app-1a2b.js", "deflate", "", "script"},
		{"/c/icon.svg", "br, gzip", "gzip", "icon gz"},
		{"/c/assets/app-1a2b.js", "br", "br", "script br"},
		{"/c/assets/app-1a2b.css", "br, gzip", "", "style"},
	} {
		t.Run(c.path+" "+c.accept, func(t *testing.T) {
			response := ask(t, h, func(r *http.Request) { r.Header.Set("Accept-Encoding", c.accept) }, "GET", c.path)
			same(t, "Content-Encoding", response.Header.Get("Content-Encoding"), c.encoding)
			same(t, "Vary", response.Header.Get("Vary"), "Accept-Encoding")
			same(t, "Content-Length", response.ContentLength, int64(len(c.body)))
			same(t, "body", body(t, response), c.body)
		})
	}
	response := ask(t, h, func(r *http.Request) { r.Header["Accept-Encoding"] = []string{"deflate", "gzip"} }, "GET", "/c/icon.svg")
	same(t, "encoding of two lines", response.Header.Get("Content-Encoding"), "gzip")
	same(t, "type of an encoded file", response.Header.Get("Content-Type"), "image/svg+xml")
}

func TestGateway_VersionThatIsNotPlain(t *testing.T) {
	for _, version := range []string{"", `1"}`, "1\n", "é", "1 2", strings.Repeat("1", 65)} {
		h := gateway.New(gateway.Options{Pages: pages, Version: version})
		same(t, "health", body(t, ask(t, h, nil, "GET", "/v1/health")), `{"status":"ok","version":"unknown"}`+"\n")
	}
}

// broken is a disk that fails under some names.
type broken struct {
	fs.FS
	suffix string
}

func (b broken) Open(name string) (fs.File, error) {
	if strings.HasSuffix(name, b.suffix) {
		return nil, errors.New("disk on fire")
	}
	return b.FS.Open(name)
}

func TestGateway_UnreadableFile(t *testing.T) {
	for _, suffix := range []string{"app-1a2b.js", ".br"} {
		var log bytes.Buffer
		h := gateway.New(gateway.Options{
			Pages: broken{pages, suffix}, Version: "1", Log: slog.New(slog.NewTextHandler(&log, nil)),
		})
		response := ask(t, h, func(r *http.Request) { r.Header.Set("Accept-Encoding", "br") }, "GET", "/c/assets/app-1a2b.js")
		same(t, "status", response.StatusCode, 500)
		same(t, "Content-Encoding", response.Header.Get("Content-Encoding"), "")
		expectProblem(t, response)
		if !strings.Contains(log.String(), "disk on fire") {
			t.Errorf("the log does not say why: %s", log.String())
		}
	}
}

func TestGateway_LogsARefusedHostShortened(t *testing.T) {
	var log bytes.Buffer
	h := gateway.New(gateway.Options{Pages: pages, Version: "1", Log: slog.New(slog.NewTextHandler(&log, nil))})
	ask(t, h, func(r *http.Request) { r.Host = "evil.example" + strings.Repeat("x", 10000) }, "GET", "/")
	if !strings.Contains(log.String(), "evil.example") || log.Len() > 400 {
		t.Errorf("got a log of %d bytes: %.300s", log.Len(), log.String())
	}
}
