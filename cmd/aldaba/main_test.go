package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aldaba-chat/aldaba/internal/seal"
	"github.com/aldaba-chat/aldaba/internal/wire"
	"github.com/aldaba-chat/aldaba/web"
)

var pages = fstest.MapFS{
	"widget/index.html":  {Data: []byte("visitor")},
	"console/index.html": {Data: []byte("agent")},
	"loader/v1.js":       {Data: []byte("loader")},
}

// buffer is written by a command while the test reads.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestCommand_Texts(t *testing.T) {
	for _, c := range []struct {
		name, args, env string
		code            int
		stdout, stderr  string // a piece of each; "" is silence
	}{
		{"version", "version", "", exitOK, "aldaba ", ""},
		{"version as a flag", "--version", "", exitOK, "aldaba ", ""},
		{"version of something", "version x", "", exitUsage, "", "takes nothing"},
		{"help", "help", "", exitOK, "ALDABA_FOLDER", ""},
		{"nothing", "", "", exitUsage, "", "usage: aldaba"},
		{"unknown command", "serve", "", exitUsage, "", `unknown command "serve"`},
		{"unknown flag", "run --adrs=127.0.0.1:1", "", exitUsage, "", `did you mean "address"?`},
		{"unknown in the environment", "run", "ALDABA_FODLER=x", exitUsage, "", `did you mean "folder"?`},
		{"a flag without a value", "run --folder", "", exitUsage, "", "no value"},
		{"a word", "run data", "", exitUsage, "", `does not understand "data"`},
		{"an address of the network", "run --address=0.0.0.0:1", "", exitUsage, "", "loopback"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), strings.Fields(c.args), strings.Fields(c.env), &stdout, &stderr)
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			for got, want := range map[*bytes.Buffer]string{&stdout: c.stdout, &stderr: c.stderr} {
				if want == "" && got.Len() > 0 || !strings.Contains(got.String(), want) {
					t.Errorf("got %q, want %q", got, want)
				}
			}
			if c.args != "" && strings.Count(stderr.String(), "\n") > 1 {
				t.Errorf("an error is one line: %q", stderr.String())
			}
		})
	}
}

func TestCommand_WithoutPages(t *testing.T) {
	var stdout, stderr bytes.Buffer
	p := program{stdout: &stdout, stderr: &stderr, log: slog.New(slog.DiscardHandler)}
	folder := filepath.Join(t.TempDir(), "data")
	code := p.run(t.Context(), []string{"run", "--address=127.0.0.1:0", "--folder=" + folder})
	if code != exitFailure || !strings.Contains(stderr.String(), "`make run`") || stdout.Len() > 0 {
		t.Errorf("got %d, %q, %q", code, stdout.String(), stderr.String())
	}
	if _, err := os.Stat(folder); err == nil {
		t.Error("the folder was created by a binary that cannot serve")
	}
}

// running is a server that a command started.
type running struct {
	stdout, stderr *buffer
	interrupt      context.CancelFunc
	code           chan int
}

func startRun(t *testing.T, flags ...string) running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r := running{&buffer{}, &buffer{}, cancel, make(chan int, 1)}
	p := program{
		stdout: r.stdout, stderr: r.stderr, pages: pages,
		log: slog.New(slog.NewTextHandler(r.stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	go func() { r.code <- p.run(ctx, append([]string{"run"}, flags...)) }()
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(r.stdout.String(), "Ctrl-C"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it did not start: %s%s", r.stdout, r.stderr)
		}
	}
	return r
}

func (r running) stop(t *testing.T) {
	t.Helper()
	r.interrupt()
	select {
	case code := <-r.code:
		if code != exitOK || r.stderr.String() != "" {
			t.Errorf("stopped with %d: %s", code, r.stderr)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it does not stop")
	}
}

// get asks a local name, which only browsers look up by themselves.
func get(url string) (*http.Response, error) {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.URL.Host = "127.0.0.1:" + request.URL.Port()
	return http.DefaultClient.Do(request)
}

var address = regexp.MustCompile(`http://\S+`)

func TestCommand_RunServesBothPagesAndStops(t *testing.T) {
	r := startRun(t, "--address=127.0.0.1:0", "--folder="+filepath.Join(t.TempDir(), "data"))
	urls := address.FindAllString(r.stdout.String(), -1)
	if len(urls) != 2 {
		t.Fatalf("two addresses are wanted: %s", r.stdout)
	}
	for i, want := range []string{"visitor", "agent"} {
		response, err := get(urls[i])
		if err != nil {
			t.Fatal(err)
		}
		content, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if string(content) != want {
			t.Errorf("%s: got %q, want %q", urls[i], content, want)
		}
	}
	if !strings.Contains(r.stdout.String(), "There is no organisation yet") || strings.Contains(r.stdout.String(), "busy") {
		t.Errorf("got %s", r.stdout)
	}
	r.stop(t)
	if _, err := get(urls[0]); err == nil {
		t.Error("it answers after it stopped")
	}
}

// demoAddresses are the addresses that a demonstration printed, by their names.
func demoAddresses(t *testing.T, output string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, match := range regexp.MustCompile(`(?m)^(\w+) .* (http://\S+)$`).FindAllStringSubmatch(output, -1) {
		found[match[1]] = match[2]
	}
	return found
}

// The demonstration has an organisation, whose keys stand beside the data, and
// has the same one when it is started again.
func TestCommand_Demo(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	var orgs []string
	for range 2 {
		r := startRun(t, "--address=127.0.0.1:0", "--folder="+data, "--demo=on")
		urls := demoAddresses(t, r.stdout.String())
		for _, login := range []string{"ana", "luis", "marta"} {
			if !strings.Contains(urls[login], "http://"+login+".aldaba.localhost:") || !strings.Contains(urls[login], "/#demo=") || !strings.Contains(urls[login], "&invite=") {
				t.Errorf("a link that signs %s in is wanted: %s", login, r.stdout)
			}
		}
		if strings.Contains(urls["admin"], "invite") || !strings.Contains(urls["admin"], "#demo=") || strings.Contains(r.stdout.String(), "no organisation") {
			t.Errorf("got %s", r.stdout)
		}
		response, err := get(strings.TrimSuffix(urls["chat"], "/c/bank") + "/v1/site")
		if err != nil {
			t.Fatal(err)
		}
		content, _ := io.ReadAll(response.Body)
		response.Body.Close()
		orgs = append(orgs, string(content))
		r.stop(t)
	}
	if orgs[0] != orgs[1] || !strings.Contains(orgs[0], `"org"`) {
		t.Errorf("two organisations: %q", orgs)
	}
	if keys, err := filepath.Glob(filepath.Join(data, "*.age")); err != nil || len(keys) > 0 {
		t.Errorf("keys in the data folder: %v %v", keys, err)
	}
	if keys, err := filepath.Glob(filepath.Join(data+"-office", "*.age")); err != nil || len(keys) != 3 {
		t.Errorf("keys beside the data folder: %v %v", keys, err)
	}
	if err := os.RemoveAll(data + "-office"); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	p := program{stdout: &stdout, stderr: &stderr, pages: pages, log: slog.New(slog.DiscardHandler)}
	if code := p.run(t.Context(), []string{"run", "--address=127.0.0.1:0", "--folder=" + data, "--demo=on"}); code != exitFailure || !strings.Contains(stderr.String(), "belong together") {
		t.Errorf("a demonstration over somebody's data: %d %s %s", code, &stdout, &stderr)
	}
}

// A shop keeps its keys on the server's machine, where the running server plays
// the office: it takes its own seat, and says so at each start.
func TestCommand_KeepsTheKeysHere(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	r := startRun(t, "--address=127.0.0.1:0", "--folder="+data)
	var stdout, stderr bytes.Buffer
	p := program{stdout: &stdout, stderr: &stderr, env: []string{"ALDABA_FOLDER=" + data}, log: slog.New(slog.DiscardHandler)}
	if code := p.run(t.Context(), []string{"keys", "init", "--keep-here", "--department=Ventas:assisted"}); code != exitOK {
		t.Fatalf("got %d: %s", code, &stderr)
	}
	base := strings.TrimSuffix(address.FindString(r.stdout.String()), "/c/")
	seated := func() bool {
		response, err := get(base + "/v1/trust")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		content, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			return false
		}
		objects, err := wire.ReadList(content, 100)
		if err != nil {
			t.Fatal(err)
		}
		servers := 0
		for _, object := range objects {
			x := new(seal.Certificate)
			if seal.KindOf(object) == seal.KindCertificate && seal.Parse(object, x) == nil && x.Kind == seal.Server {
				servers++
			}
		}
		return servers == 1
	}
	for deadline := time.Now().Add(10 * time.Second); !seated(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the server has no seat")
		}
	}
	r.stop(t)
	again := startRun(t, "--address=127.0.0.1:0", "--folder="+data)
	if out := again.stdout.String(); !strings.Contains(out, "keys are kept here") || !strings.Contains(out, "can certify devices") {
		t.Errorf("got %s", out)
	}
	again.stop(t)
}

func TestCommand_RunOnABusyPort(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	busy := listener.Addr().String()
	r := startRun(t, "--address="+busy, "--folder="+t.TempDir())
	port := strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	if out := r.stdout.String(); !strings.Contains(out, "Port "+port+" is busy, so Aldaba uses ") || strings.Contains(out, busy+"/") {
		t.Errorf("got %s", out)
	}
	r.stop(t)
}

func TestCommand_RunOnAFolderOfOthers(t *testing.T) {
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	p := program{stdout: &stdout, stderr: &stderr, pages: pages, log: slog.New(slog.DiscardHandler)}
	code := p.run(t.Context(), []string{"run", "--address=127.0.0.1:0", "--folder=" + folder})
	if code != exitFailure || !strings.Contains(stderr.String(), "chmod go-w") || strings.Count(stderr.String(), "\n") != 1 {
		t.Errorf("got %d, %q", code, stderr.String())
	}
}

// Whoever interrupts early has stopped it, too: no failure.
func TestCommand_InterruptedWhileItStarts(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	p := program{stdout: &stdout, stderr: &stderr, pages: pages, log: slog.New(slog.DiscardHandler)}
	if code := p.run(ctx, []string{"run", "--address=localhost:0", "--folder=" + t.TempDir()}); code != exitOK || stderr.Len() > 0 {
		t.Errorf("got %d, %q", code, stderr.String())
	}
}

// The program itself takes the pages of the binary, when there are any.
func TestCommand_PagesOfTheBinary(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // it starts and stops at once
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"run", "--address=127.0.0.1:0", "--folder=" + t.TempDir()}, nil, &stdout, &stderr)
	if built := web.Built(); built != !strings.Contains(stderr.String(), "make run") || built != (code == exitOK) {
		t.Errorf("built %v, code %d: %s%s", built, code, stdout.String(), stderr.String())
	}
}
