package server

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"
)

var pages = fstest.MapFS{"widget/index.html": {Data: []byte("visitor")}}

func options(t *testing.T, address string) Options {
	return Options{Address: address, Folder: filepath.Join(t.TempDir(), "data"), Pages: pages, Version: "1"}
}

func start(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.http.Close() })
	return s
}

// occupy binds a free port until the test ends.
func occupy(t *testing.T) (*net.TCPAddr, net.Listener) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener.Addr().(*net.TCPAddr), listener
}

// chatHost is the name of the visitors' pages.
func chatHost(s *Server) string { return "chat.aldaba.localhost:" + strconv.Itoa(s.Addr().Port) }

// page asks for the visitor's page.
func page(s *Server, header string) (*http.Response, error) {
	request, err := http.NewRequest("GET", "http://"+s.Addr().String()+"/c/", nil)
	if err != nil {
		return nil, err
	}
	request.Host = chatHost(s)
	request.Header.Set("X-Long", header)
	return http.DefaultClient.Do(request)
}

func TestServer_ServesAndStops(t *testing.T) {
	s := start(t, options(t, "127.0.0.1:0"))
	response, err := page(s, "")
	if err != nil {
		t.Fatal(err)
	}
	content, _ := io.ReadAll(response.Body)
	response.Body.Close()
	if response.StatusCode != 200 || string(content) != "visitor" {
		t.Errorf("got %d %q", response.StatusCode, content)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := page(s, ""); err == nil {
		t.Error("the server answers after Stop")
	}
	select {
	case err := <-s.Failed():
		t.Errorf("a stop is no failure: %v", err)
	default:
	}
}

func TestServer_FailureOfTheListener(t *testing.T) {
	s := start(t, options(t, "127.0.0.1:0"))
	s.listener.Close()
	select {
	case err := <-s.Failed():
		if !strings.Contains(err.Error(), "stopped accepting") {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("nobody says that the listener is gone")
	}
}

func TestServer_BusyPortTakesTheNext(t *testing.T) {
	busy, _ := occupy(t)
	var log lockedLog
	o := options(t, busy.String())
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	s := start(t, o)
	if port := s.Addr().Port; port <= busy.Port || port > busy.Port+nextPorts {
		t.Errorf("got port %d after %d", port, busy.Port)
	}
	for _, want := range []string{"busy=" + strconv.Itoa(busy.Port), "port=" + strconv.Itoa(s.Addr().Port)} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %s: %s", want, log.String())
		}
	}
}

func TestServer_AllPortsBusy(t *testing.T) {
	// 65535 has no next port, so one listener keeps them all busy.
	listener, err := net.Listen("tcp", "127.0.0.1:65535")
	if err == nil {
		defer listener.Close()
	}
	_, err = Start(t.Context(), options(t, "127.0.0.1:65535"))
	if err == nil || !strings.Contains(err.Error(), "all busy") {
		t.Errorf("got %v", err)
	}
}

func TestServer_Addresses(t *testing.T) {
	for address, want := range map[string]string{
		"8080":             "not host:port",
		"127.0.0.1":        "not host:port",
		"127.0.0.1:http":   "not a number",
		"127.0.0.1:65536":  "not a number",
		"127.0.0.1:-1":     "not a number",
		"0.0.0.0:0":        "not on this machine",
		":0":               "not on this machine",
		"192.168.1.5:0":    "not on this machine",
		"chat.example:0":   "not on this machine",
		"[::]:0":           "not on this machine",
		"evil.localhost:0": "not on this machine",
	} {
		s, err := Start(t.Context(), options(t, address))
		if err == nil {
			s.http.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", address, err, want)
		}
	}
}

func TestServer_Folder(t *testing.T) {
	t.Run("created for its owner", func(t *testing.T) {
		folder := filepath.Join(t.TempDir(), "a", "b")
		if err := prepareFolder(folder); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(folder)
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("got %v, %v", info.Mode(), err)
		}
	})
	for mode, want := range map[os.FileMode]string{
		0o700: "", 0o755: "", 0o770: "mode 0770", 0o702: "mode 0702", 0o777: "mode 0777",
	} {
		t.Run(strconv.FormatInt(int64(mode), 8), func(t *testing.T) {
			folder := t.TempDir()
			if err := os.Chmod(folder, mode); err != nil {
				t.Fatal(err)
			}
			err := prepareFolder(folder)
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, nil, 0o600)
	for folder, want := range map[string]string{"": "no data folder", file: "is a file", file + "/x": "cannot be used"} {
		if err := prepareFolder(folder); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", folder, err, want)
		}
	}
}

func TestServer_LimitsHeaders(t *testing.T) {
	s := start(t, options(t, "127.0.0.1:0"))
	for size, want := range map[int]int{8 << 10: 200, 64 << 10: 431} {
		response, err := page(s, strings.Repeat("x", size))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%d bytes of header: got %d, want %d", size, response.StatusCode, want)
		}
	}
	if h := s.http; h.ReadHeaderTimeout == 0 || h.ReadTimeout == 0 || h.WriteTimeout == 0 || h.IdleTimeout == 0 {
		t.Error("a connection may stay for ever")
	}
}

// OPTIONS * is answered by the gateway, with its headers.
func TestServer_OptionsOfEverything(t *testing.T) {
	s := start(t, options(t, "127.0.0.1:0"))
	answer := raw(t, s, "OPTIONS * HTTP/1.1\r\nHost: "+s.Addr().String()+"\r\nConnection: close\r\n\r\n")
	if !strings.HasPrefix(answer, "HTTP/1.1 405 ") || !strings.Contains(answer, "Content-Security-Policy: ") {
		t.Errorf("got %q", answer)
	}
}

func TestServer_RefusesAForeignHost(t *testing.T) {
	s := start(t, options(t, "127.0.0.1:0"))
	port := strconv.Itoa(s.Addr().Port)
	for request, want := range map[string]string{
		"GET /c/ HTTP/1.1\r\nHost: evil.example:" + port:                                             "421",
		"GET http://evil.example:" + port + "/c/ HTTP/1.1\r\nHost: 127.0.0.1:" + port:                "421",
		"GET /c/ HTTP/1.1\r\nHost: acme.localhost:" + port:                                           "421",
		"GET /c/ HTTP/1.1\r\nHost: chat.aldaba.localhost:" + port:                                    "200",
		"GET /c/ HTTP/1.1\r\nX-Forwarded-Host: 127.0.0.1:" + port + "\r\nHost: evil.example:" + port: "421",
	} {
		answer := raw(t, s, request+"\r\nConnection: close\r\n\r\n")
		if !strings.HasPrefix(answer, "HTTP/1.1 "+want+" ") {
			t.Errorf("%q: got %q, want %s", request, answer, want)
		}
	}
}

func raw(t *testing.T, s *Server, request string) string {
	t.Helper()
	connection, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(10 * time.Second))
	connection.Write([]byte(request))
	answer, err := io.ReadAll(connection)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// Stop waits for a request under way, and cuts it when its time is over.
func TestServer_StopDrains(t *testing.T) {
	for _, c := range []struct {
		name    string
		patient bool
	}{{"waits", true}, {"cuts", false}} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, options(t, "127.0.0.1:0"))
			entered, release := make(chan struct{}), make(chan struct{})
			s.http.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				close(entered)
				<-release
				io.WriteString(w, "done")
			})
			answer := make(chan string, 1)
			go func() {
				response, err := http.Get("http://" + s.Addr().String())
				if err != nil {
					answer <- "cut"
					return
				}
				defer response.Body.Close()
				content, _ := io.ReadAll(response.Body)
				answer <- string(content)
			}()
			<-entered
			if c.patient {
				time.AfterFunc(50*time.Millisecond, func() { close(release) })
				if err := s.Stop(t.Context()); err != nil {
					t.Error(err)
				}
				if got := <-answer; got != "done" {
					t.Errorf("got %q", got)
				}
				return
			}
			defer close(release)
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if err := s.Stop(ctx); err == nil || !strings.Contains(err.Error(), "were cut") {
				t.Errorf("got %v", err)
			}
			if got := <-answer; got != "cut" {
				t.Errorf("got %q", got)
			}
		})
	}
}

// lockedLog is read while the server's routines may still write to it.
type lockedLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
