package main

import (
	"bytes"
	"encoding/base64"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A link lets the person in whom it names, once, and until its end.
func TestDoor_AdmitsByALinkOnce(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(data+"-office", 0o700); err != nil {
		t.Fatal(err)
	}
	d, err := openDoor(data, 1)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	changed := func(token string, at int) string {
		raw, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil {
			t.Fatal(err)
		}
		raw[at] ^= 1
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	token := d.token("ana", now)
	for name, c := range map[string]struct {
		login, token string
		at           time.Time
	}{
		"another person":   {"luis", token, now},
		"a later end":      {"ana", changed(token, 5), now},
		"another number":   {"ana", changed(token, 10), now},
		"another mark":     {"ana", changed(token, 40), now},
		"after its end":    {"ana", token, now.Add(linkLasts + time.Second)},
		"a piece of it":    {"ana", token[:40], now},
		"nothing":          {"ana", "", now},
		"no text of ours":  {"ana", strings.Repeat("=", len(token)), now},
		"of another start": {"ana", doorFile{Key: [32]byte{1}}.token("ana", now), now},
	} {
		if d.admits(c.login, c.token, c.at) {
			t.Errorf("%s lets in", name)
		}
	}
	if !d.admits("ana", token, now) || d.admits("ana", token, now) {
		t.Error("a link lets in once")
	}
	if other := d.token("ana", now); !d.admits("ana", other, now.Add(linkLasts-time.Minute)) {
		t.Error("the next link does not let in")
	}
	info, err := os.Stat(doorName(data))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others can read the door's key: %v %v", info, err)
	}
}

func (p program) does(t *testing.T, code int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, failed bytes.Buffer
	p.stdout, p.stderr, p.pages, p.log = &out, &failed, pages, slog.New(slog.DiscardHandler)
	if got := p.run(t.Context(), args); got != code {
		t.Errorf("%q ends with %d, not %d: %s", args, got, code, &failed)
	}
	return out.String(), failed.String()
}

// Fresh links come from the demonstration that runs; its end removes what it
// made, and the data of nobody else.
func TestCommand_DemoLinksAndReset(t *testing.T) {
	folder := t.TempDir()
	data := filepath.Join(folder, "data")
	p := program{env: []string{"ALDABA_FOLDER=" + data}}
	if _, problem := p.does(t, exitFailure, "demo", "links"); !strings.Contains(problem, "no demonstration runs") {
		t.Errorf("got %s", problem)
	}
	if out, _ := p.does(t, exitOK, "demo", "reset"); !strings.Contains(out, "no demonstration") {
		t.Errorf("got %s", out)
	}
	r := startRun(t, "--address=127.0.0.1:0", "--folder="+data, "--demo=on")
	first := demoAddresses(t, r.stdout.String())
	out, _ := p.does(t, exitOK, "demo", "links")
	fresh := demoAddresses(t, out)
	if len(fresh) != len(first) || fresh["ana"] == first["ana"] || fresh["chat"] != first["chat"] {
		t.Errorf("got %v after %v", fresh, first)
	}
	if _, problem := p.does(t, exitFailure, "demo", "reset"); !strings.Contains(problem, "stop it first") {
		t.Errorf("got %s", problem)
	}
	r.stop(t)
	if _, problem := p.does(t, exitFailure, "demo", "links"); !strings.Contains(problem, "no demonstration runs") {
		t.Errorf("got %s", problem)
	}
	p.does(t, exitOK, "demo", "reset")
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("left: %v %v", left, err)
	}

	real := startRun(t, "--address=127.0.0.1:0", "--folder="+data)
	p.does(t, exitOK, "keys", "init", "--keep-here", "--department=Ventas:assisted")
	real.stop(t)
	if _, problem := p.does(t, exitFailure, "demo", "reset"); !strings.Contains(problem, "not the data of a demonstration") {
		t.Errorf("got %s", problem)
	}
	if _, err := os.Stat(filepath.Join(data, "aldaba.db")); err != nil {
		t.Errorf("a real installation lost its data: %v", err)
	}
	for _, args := range [][]string{{"demo"}, {"demo", "x"}, {"demo", "links", "x"}} {
		p.does(t, exitUsage, args...)
	}
}

func TestTunnel(t *testing.T) {
	for connection, want := range map[string]string{
		"192.0.2.7 50812 198.51.100.4 22":   "ssh -N -L 8700:127.0.0.1:8700 198.51.100.4",
		"192.0.2.7 50812 198.51.100.4 2222": "ssh -N -L 8700:127.0.0.1:8700 -p 2222 198.51.100.4",
		"2001:db8::7 50812 2001:db8::4 22":  "ssh -N -L 8700:127.0.0.1:8700 2001:db8::4",
		"":                                  "",
		"x":                                 "",
	} {
		if got := tunnel(connection, 8700); got != want {
			t.Errorf("%q: got %q, want %q", connection, got, want)
		}
	}
}
