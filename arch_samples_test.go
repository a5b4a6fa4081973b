package aldaba_test

import (
	"strings"
	"testing"
)

// A rule that cannot fail is no rule: here each meets a sample that breaks it,
// and one that comes close and is right.

func TestHouseRules_GoSamples(t *testing.T) {
	const conversation = "internal/conversation/append.go"
	for _, c := range []struct {
		name, rule, file, code string
		want                   string // a piece of the complaint; "" when the sample is right
	}{
		{"a lower floor", "floors", conversation, `import _ "github.com/aldaba-chat/aldaba/internal/policy"`, ""},
		{"a folder of its own", "floors", "internal/store/sqlite/open.go", `import _ "github.com/aldaba-chat/aldaba/internal/store"`, ""},
		{"a higher floor", "floors", conversation, `import _ "github.com/aldaba-chat/aldaba/internal/gateway"`, "lower floors only"},
		{"a neighbour", "floors", conversation, `import _ "github.com/aldaba-chat/aldaba/internal/identity"`, "lower floors only"},
		{"a neighbour's folder", "floors", "internal/gateway/socket.go", `import _ "github.com/aldaba-chat/aldaba/internal/store/sqlite"`, "lower floors only"},
		{"a neighbour in a test", "floors", "internal/conversation/append_test.go", `import _ "github.com/aldaba-chat/aldaba/internal/store/sqlite"`, ""},
		{"vocabulary that imports", "floors", "internal/chat/id.go", `import _ "github.com/aldaba-chat/aldaba/internal/seal"`, "lower floors only"},
		{"an unknown package", "floors", "internal/helpers/strings.go", ``, "no floor is known"},
		{"an unknown import", "floors", conversation, `import _ "github.com/aldaba-chat/aldaba/internal/helpers"`, "has no floor"},
		{"configuration where it is read", "floors", "internal/server/server.go", `import _ "github.com/aldaba-chat/aldaba/internal/config"`, ""},
		{"configuration elsewhere", "floors", "internal/gateway/http.go", `import _ "github.com/aldaba-chat/aldaba/internal/config"`, "Options value"},
		{"a tool in the product", "floors", "internal/server/server.go", `import _ "github.com/aldaba-chat/aldaba/tools/tree"`, "lower floors only"},

		{"the standard library", "seal", "internal/seal/sign.go", `import _ "crypto/ed25519"`, ""},
		{"a module in seal", "seal", "internal/seal/sign.go", `import _ "golang.org/x/crypto/hkdf"`, "standard library only"},
		{"a package of ours in seal", "seal", "internal/seal/sign.go", `import _ "github.com/aldaba-chat/aldaba/internal/chat"`, "standard library only"},

		{"lax JSON", "forbidden", "internal/gateway/frame.go", `import _ "encoding/json"`, "duplicate keys"},
		{"lax JSON in a test", "forbidden", "internal/gateway/frame_test.go", `import _ "encoding/json"`, ""},
		{"programs", "forbidden", "internal/server/server.go", `import _ "os/exec"`, "starts no programs"},
		{"programs in a tool", "forbidden", "tools/build/main.go", `import _ "os/exec"`, ""},
		{"guessable numbers", "forbidden", "internal/chat/id.go", `import _ "math/rand"`, "guessable"},
		{"guessable numbers, new", "forbidden", "internal/chat/id.go", `import _ "math/rand/v2"`, "guessable"},
		{"unsafe in a test", "forbidden", "internal/chat/id_test.go", `import _ "unsafe"`, "memory safety"},

		{"a constant statement", "sql", conversation, `const where = " WHERE id = ?"; func f() { db.Query("SELECT a FROM b" + where, id) }`, ""},
		{"a sum among parameters", "sql", conversation, `func f() { db.Exec(appendEvent, seq+1) }`, ""},
		{"a sentence", "sql", conversation, `func f() { log("Select one of " + name) }`, ""},
		{"an error text", "sql", conversation, `func f() { return fmt.Errorf("update the head of %s: %w", id, err) }`, ""},
		{"formatted in the call", "sql", conversation, `func f() { db.QueryContext(ctx, fmt.Sprintf(text, name)) }`, "pass values as parameters"},
		{"joined in the call", "sql", conversation, `func f() { db.Exec("DROP TABLE " + name) }`, "pass values as parameters"},
		{"formatted before", "sql", conversation, `func f() { q := fmt.Sprintf("SELECT a FROM %s", name); db.Query(q) }`, "pass values as parameters"},
		{"joined before", "sql", conversation, `func f() { q := "delete from " + name; db.Exec(q) }`, "pass values as parameters"},
		{"grown", "sql", conversation, `func f() { q += " WHERE name = '" + name + "'"; db.Query(q) }`, "pass values as parameters"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := parse(t, c.file, "package p\n"+c.code)
			expect(t, goRules[c.rule](s), c.want)
		})
	}
}

func TestHouseRules_PackageComment(t *testing.T) {
	for code, want := range map[string]bool{
		"// Package p keeps things.\npackage p":   true,
		"// Command aldaba serves.\npackage main": true,
		"package p":                                          false,
		"// Copyright\n\npackage p":                          false,
		"// Package other is a copy.\npackage p":             false,
		"// Command p is no command.\npackage p":             false,
		"//go:build linux\n\n// Package p keeps.\npackage p": true,
	} {
		if got := saysWhatItIs(parse(t, "internal/p/p.go", code)); got != want {
			t.Errorf("%q: got %v, want %v", code, got, want)
		}
	}
}

func TestHouseRules_TextSamples(t *testing.T) {
	long := strings.Repeat("\n", longestComponent+1)
	for _, c := range []struct {
		name, file, content string
		want                string
	}{
		{"text as a node", "web/ui/text.ts", "node.textContent = text; // never innerHTML", ""},
		{"innerHTML", "web/ui/text.ts", "node.innerHTML = text;", "makes HTML of text"},
		{"outerHTML", "web/ui/text.ts", "node['outerHTML'] = text;", "makes HTML of text"},
		{"insertAdjacentHTML", "web/ui/text.ts", "node.insertAdjacentHTML('beforeend', text);", "makes HTML of text"},
		{"setHTMLUnsafe", "web/ui/text.ts", "node.setHTMLUnsafe(text);", "makes HTML of text"},
		{"srcdoc", "web/widget/frame.tsx", "<iframe srcdoc={text} />", "makes HTML of text"},
		{"document.write", "web/ui/text.ts", "document.write(text);", "makes HTML of text"},
		{"dangerouslySetInnerHTML", "web/console/row.tsx", "<p dangerouslySetInnerHTML={{ __html: text }} />", "return elements"},
		{"eval", "web/client/rule.ts", "const f = eval(text);", "makes code of text"},
		{"new Function", "web/client/rule.ts", "const f = new Function(text);", "makes code of text"},
		{"a timer of text", "web/client/rule.ts", "setTimeout('go()', 1);", "makes code of text"},
		{"a cookie", "web/client/session.ts", "document.cookie = 'a=b';", "HttpOnly"},
		{"a handler in a page", "web/widget/index.html", `<button onclick="go()">`, "content security policy"},
		{"a test may try", "web/e2e/csp.test.ts", "node.innerHTML = text;", ""},
		{"a long component", "web/console/inbox.tsx", long, "at most 300"},
		{"a long module", "web/client/queue.ts", long, ""},

		{"a path of this machine", "docs/x.md", "see /root/notes", "one machine"},
		{"a home folder", "Makefile", "CACHE=/home/ana/cache", "one machine"},
		{"a registry", "web/package-lock.json", `"resolved": "https://registry.npmjs.org/preact"`, "one machine"},
		{"a path of the product", "docs/x.md", "data lives in /var/lib/aldaba and docs/work/x", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			expect(t, append(checkWeb(c.file, c.content), checkText(c.file, c.content)...), c.want)
		})
	}
}

func TestHouseRules_DocumentSamples(t *testing.T) {
	files := []string{"docs/adr/0001-x.md", "internal/chat/id.go", "web/ui/ui.ts"}
	right := "[one](adr/0001-x.md) [two](adr/) [out](https://example.org/x) `internal/chat` `web/dist` `web/ui/*.ts` `internal/chat/id.go`"
	expect(t, checkDocument("docs/index.md", right, files), "")
	expect(t, checkDocument("docs/index.md", "[gone](adr/0002-y.md)", files), "adr/0002-y.md is not there")
	expect(t, checkDocument("README.md", "see `internal/chat/actor.go`", files), "internal/chat/actor.go is not there")
}

func TestHouseRules_DependencySamples(t *testing.T) {
	const goMod = "module m\n\ngo 1.26.0\n\nrequire (\n\texample.org/one v1.0.0\n\texample.org/two v1.0.0 // indirect\n)\n"
	const manifest = `{"dependencies": {"preact": "11.2.0", "@aldaba/ui": "0.0.0"}}`
	const document = "| name | why |\n|---|---|\n| `example.org/one` | a reason |\n| `preact` | a reason |\n"
	expect(t, checkDependencies(goMod, []string{manifest}, document), "")
	expect(t, checkDependencies(goMod, []string{manifest}, "| `preact` | a reason |\n"), "example.org/one is required")
	expect(t, checkDependencies(goMod, nil, document), "preact has a line")
	expect(t, checkDependencies(goMod, []string{strings.Replace(manifest, "11", "^11", 1)}, document), "no exact version")
}

// expect compares complaints with a piece of the one that is wanted.
func expect(t *testing.T, complaints []string, want string) {
	t.Helper()
	said := strings.Join(complaints, "; ")
	if want == "" && said != "" || !strings.Contains(said, want) {
		t.Errorf("got %q, want %q", said, want)
	}
}
