package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/aldaba-chat/aldaba/internal/seal"
	"github.com/aldaba-chat/aldaba/internal/wire"
)

// keysBegin is the day that the scripts begin on: 2027-01-15.
const keysBegin = 1_800_000_000_000

// TestMain makes this program the command of the scripts, with a clock that
// stands so many days after keysBegin as the file clock says, and a passphrase
// that costs little.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"aldaba": func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		now := clock(".")
		p := program{env: os.Environ(), stdout: os.Stdout, stderr: os.Stderr, log: slog.New(slog.DiscardHandler)}
		if len(os.Args) > 1 && os.Args[1] == "keys" {
			k := keys{program: p, now: func() time.Time { return now }, ask: askTerminal, work: 10}
			os.Exit(k.run(ctx, os.Args[2:]))
		}
		os.Exit(p.run(ctx, os.Args[1:]))
	}})
}

func clock(folder string) time.Time {
	now := time.UnixMilli(keysBegin)
	if text, err := os.ReadFile(filepath.Join(folder, "clock")); err == nil {
		days, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil {
			panic(err)
		}
		now = now.AddDate(0, 0, days)
	}
	return now
}

// installation is the server and the devices of one script.
type installation struct {
	exchange string
	devices  map[string]*device
}

type device struct {
	seal.Keys
	id        [32]byte
	keyObject *seal.KeyObject
}

func TestKeys_Scripts(t *testing.T) {
	type key struct{}
	on := func(ts *testscript.TestScript) *installation {
		i, _ := ts.Value(key{}).(*installation)
		return i
	}
	testscript.Run(t, testscript.Params{
		Dir:                "testdata/keys",
		RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			data := filepath.Join(e.WorkDir, "data")
			e.Setenv("ALDABA_FOLDER", data)
			e.Values[key{}] = &installation{filepath.Join(data, "exchange"), map[string]*device{}}
			pass := filepath.Join(e.WorkDir, "pass")
			return os.WriteFile(pass, []byte("correct horse battery\n"), 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// server makes the server's side of the exchange.
			"server": func(ts *testscript.TestScript, _ bool, _ []string) {
				i := on(ts)
				public, _, err := ed25519.GenerateKey(rand.Reader)
				ts.Check(err)
				i.put(ts, "status.pub", []byte(hex.EncodeToString(public)+"\n"))
			},
			// seat lets the server ask for a certificate of its own.
			"seat": func(ts *testscript.TestScript, _ bool, _ []string) {
				_, key, err := ed25519.GenerateKey(rand.Reader)
				ts.Check(err)
				on(ts).put(ts, "server.pub", seal.NewServerRequest(key))
			},
			// request name file: a device asks with the invitation in a JSON file.
			"request": func(ts *testscript.TestScript, _ bool, args []string) {
				on(ts).request(ts, args[0], ts.ReadFile(args[1]), ts.ReadFile("show.json"))
			},
			// keyobject name: the device takes its certificate and makes its key.
			"keyobject": func(ts *testscript.TestScript, _ bool, args []string) { on(ts).keyObject(ts, args[0]) },
			// opens name: the newest department keys open for the device, by what was published.
			"opens": func(ts *testscript.TestScript, neg bool, args []string) {
				if err := on(ts).opens(ts, args[0]); (err != nil) != neg {
					ts.Fatalf("%s: %v", args[0], err)
				}
			},
			// until file: waits until another program has written it.
			"until": func(ts *testscript.TestScript, _ bool, args []string) {
				for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
					if found, err := filepath.Glob(ts.MkAbs(args[0])); err != nil || len(found) > 0 {
						ts.Check(err)
						return
					}
					if time.Now().After(deadline) {
						ts.Fatalf("%s does not come", args[0])
					}
				}
			},
			// take name path file: writes one member of a JSON file into another.
			"take": func(ts *testscript.TestScript, _ bool, args []string) {
				var value any
				ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &value))
				for _, step := range strings.Split(args[1], ".") {
					switch v := value.(type) {
					case map[string]any:
						value = v[step]
					case []any:
						n, err := strconv.Atoi(step)
						ts.Check(err)
						value = v[n]
					}
				}
				text, ok := value.(string)
				if !ok {
					ts.Fatalf("%s in %s is %v", args[1], args[0], value)
				}
				ts.Setenv(args[2], text)
			},
		},
	})
}

func (i *installation) put(ts *testscript.TestScript, name string, content []byte) {
	out := filepath.Join(i.exchange, "out")
	ts.Check(os.MkdirAll(out, 0o700))
	ts.Check(os.WriteFile(filepath.Join(out, name), content, 0o600))
}

func (i *installation) request(ts *testscript.TestScript, name, invitation, shown string) {
	var invited struct {
		Invitation string `json:"invitation"`
	}
	ts.Check(json.Unmarshal([]byte(invitation), &invited))
	inv, err := seal.ParseInvitation(invited.Invitation)
	ts.Check(err)
	var about struct {
		Org string `json:"org"`
	}
	ts.Check(json.Unmarshal([]byte(shown), &about))
	org, err := hex.DecodeString(about.Org)
	ts.Check(err)
	_, key, err := ed25519.GenerateKey(rand.Reader)
	ts.Check(err)
	e := &seal.Enrolment{Org: [32]byte(org), Invitation: inv.ID(), Kind: seal.Agent, SigKey: seal.PublicKey(key), Time: keysBegin}
	rand.Read(e.Subject[:])
	rand.Read(e.Device[:])
	seal.Sign(e, e.Org, nil, key)
	mac := inv.MAC(e.Bytes())
	i.put(ts, hexOf(e.Hash())+".request", wire.AppendList(nil, e.Bytes(), mac[:]))
	i.devices[name] = &device{Keys: seal.Keys{Sign: key, KEM: map[[32]byte]hpke.PrivateKey{}}, id: e.Hash()}
}

// trust believes what the office wrote, the policies first.
func (i *installation) trust(ts *testscript.TestScript) *seal.Trust {
	paths, err := filepath.Glob(filepath.Join(i.exchange, "in", "*.object"))
	ts.Check(err)
	var trust *seal.Trust
	for _, policies := range []bool{true, false} {
		for _, path := range paths {
			object, err := os.ReadFile(path)
			ts.Check(err)
			if (seal.KindOf(object) == seal.KindPolicy) != policies {
				continue
			}
			if trust == nil {
				p := new(seal.Policy)
				ts.Check(seal.Parse(object, p))
				trust = seal.NewTrust(p.Org, 0, true)
			}
			ts.Check(trust.Add(object))
		}
	}
	return trust
}

func (i *installation) keyObject(ts *testscript.TestScript, name string) {
	d := i.devices[name]
	answer, err := os.ReadFile(filepath.Join(i.exchange, "in", hexOf(d.id)+".answer"))
	ts.Check(err)
	x := new(seal.Certificate)
	ts.Check(seal.Parse(answer, x))
	trust := i.trust(ts)
	_, err = trust.Judge(x.Hash(), trust.Policy(), x.NotBefore)
	ts.Check(err)
	d.Owner = x.Hash()
	d.keyObject, err = d.NewKeyObject(trust, x.NotBefore, x.NotAfter)
	ts.Check(err)
	i.put(ts, hexOf(d.keyObject.Hash())+".object", d.keyObject.Bytes())
}

func (i *installation) opens(ts *testscript.TestScript, name string) error {
	d, trust := i.devices[name], i.trust(ts)
	x, k, err := trust.DepartmentKeys(trust.Certificate(d.Owner).Departments[0], milliseconds(clock(ts.MkAbs("."))))
	ts.Check(err)
	wrap, err := os.ReadFile(filepath.Join(i.exchange, "in", hexOf(d.Owner)+"."+hexOf(x.Hash())+".wrap"))
	if err != nil {
		return err
	}
	to := d.keyObject.Hash()
	_, err = seal.OpenDepartmentKey(wrap, x.Certificate, k, to, d.KEM[to])
	return err
}

// The passphrase is asked for, twice when it is new.
func TestKeys_AskForThePassphrase(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers []string
		fresh   bool
		want    string
	}{
		{"one", []string{"correct horse"}, false, ""},
		{"twice", []string{"correct horse", "correct horse"}, true, ""},
		{"another", []string{"correct horse", "correct house"}, true, "differ"},
		{"eleven characters", []string{"áéíóúáéíóúá"}, false, "at least 12 characters, this one has 11"},
		{"twelve characters", []string{"áéíóúáéíóúáé"}, false, ""},
		{"no terminal", nil, false, "--passphrase-file"},
	} {
		k := keys{ask: func(context.Context, string) (string, error) {
			if len(c.answers) == 0 {
				return "", errNoTerminal
			}
			answer := c.answers[0]
			c.answers = c.answers[1:]
			return answer, nil
		}}
		got, err := k.passphrase(t.Context(), request{}, c.fresh)
		if c.want == "" && (err != nil || got == "" || len(c.answers) > 0) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %q, %v", c.name, got, err)
		}
	}
}

// 2 is a command line that is not understood, 1 a command that failed; both
// say so in one line.
func TestKeys_ExitCodes(t *testing.T) {
	for args, want := range map[string]int{
		"keys make":                                     exitUsage,
		"keys init":                                     exitUsage,
		"keys init --days=1":                            exitUsage,
		"keys init --department=Support":                exitUsage,
		"keys invite --department=Support":              exitUsage,
		"keys revoke 1":                                 exitUsage,
		"keys status now":                               exitUsage,
		"keys enrol --wait=perhaps":                     exitUsage,
		"keys status --keys=/dev/null/x":                exitFailure,
		"keys init --department=a:sealed --exchange=no": exitFailure,
		"keys show --keys=data/keys":                    exitFailure,
		"keys help":                                     exitOK,
		"keys renew --help":                             exitOK,
	} {
		t.Chdir(t.TempDir())
		var stdout, stderr bytes.Buffer
		p := program{stdout: &stdout, stderr: &stderr, log: slog.New(slog.DiscardHandler)}
		code := p.run(t.Context(), strings.Fields(args))
		if code != want || (code == exitOK) != (stderr.Len() == 0) || code != exitOK && strings.Count(stderr.String(), "\n") != 1 {
			t.Errorf("%s: got %d, want %d: %q", args, code, want, stderr.String())
		}
	}
	var stdout, stderr bytes.Buffer
	p := program{env: []string{"ALDABA_FODLER=x"}, stdout: &stdout, stderr: &stderr, log: slog.New(slog.DiscardHandler)}
	if code := p.run(t.Context(), []string{"keys", "show"}); code != exitUsage || !strings.Contains(stderr.String(), "did you mean") {
		t.Errorf("got %d, %q", code, stderr.String())
	}
}

// Nothing is asked in a terminal that is not there, by the product's own command.
func TestKeys_WithoutATerminal(t *testing.T) {
	input, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	before := os.Stdin
	os.Stdin = input
	defer func() { os.Stdin = before }()
	if _, err := askTerminal(t.Context(), ""); !errors.Is(err, errNoTerminal) {
		t.Errorf("got %v", err)
	}
	var stdout, stderr bytes.Buffer
	p := program{stdout: &stdout, stderr: &stderr, log: slog.New(slog.DiscardHandler)}
	folder := t.TempDir()
	if code := p.run(t.Context(), []string{"keys", "status", "--keys=" + filepath.Join(folder, "keys")}); code != exitFailure || !strings.Contains(stderr.String(), "keys init") || stdout.Len() > 0 {
		t.Errorf("got %d, %q, %q", code, stdout.String(), stderr.String())
	}
}
