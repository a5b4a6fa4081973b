package demo

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

var files = os.DirFS("../../../web/demo")

const chatOrigin = "http://chat.aldaba.localhost:8700"

func sampleBank(t *testing.T) http.Handler {
	t.Helper()
	handler, err := Bank(BankOptions{
		Files:  files,
		Loader: Loader{File: "abc.js", Integrity: "sha384-abc"},
		Chat:   func(*http.Request) string { return chatOrigin },
	})
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

func ask(t *testing.T, handler http.Handler, method, path, body string, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "http://bank.aldaba.localhost:8700"+path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, res *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

const own = "http://bank.aldaba.localhost:8700"

func TestBank_EveryPageSaysDemoAndCarriesTheSnippet(t *testing.T) {
	handler := sampleBank(t)
	for language, pages := range names {
		for _, page := range append([]link{{Path: signInPage}}, pages...) {
			res := ask(t, handler, http.MethodGet, "/"+language+"/"+page.Path, "", "Cookie", signedIn+"="+user)
			body := text(t, res)
			for _, wanted := range []string{
				"<strong>DEMO</strong>", `<html lang="` + language + `">`, `data-site="bank"`,
				`src="` + chatOrigin + `/l/abc.js"`, `integrity="sha384-abc"`, `crossorigin="anonymous"`,
			} {
				if res.StatusCode != http.StatusOK || !strings.Contains(body, wanted) {
					t.Errorf("%s/%s: %d without %s", language, page.Path, res.StatusCode, wanted)
				}
			}
			policy := res.Header.Get("Content-Security-Policy")
			for _, wanted := range []string{"script-src 'sha384-abc';", "frame-src " + chatOrigin + ";", "trusted-types 'none'"} {
				if !strings.Contains(policy, wanted) {
					t.Errorf("%s/%s: the policy %q lacks %s", language, page.Path, policy, wanted)
				}
			}
			if strings.Contains(policy, "unsafe") {
				t.Errorf("%s/%s: the policy %q is unsafe", language, page.Path, policy)
			}
		}
	}
}

func TestBank_Answers(t *testing.T) {
	handler := sampleBank(t)
	tests := []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		location                 string
		cookie                   bool
	}{
		{"the root leads to the browser's language", "GET", "/", "", []string{"Accept-Language", "es-MX,es;q=0.9,en;q=0.8"}, 303, "/es/", false},
		{"another language is led to English", "GET", "/", "", []string{"Accept-Language", "de"}, 303, "/en/", false},
		{"accounts are behind the sign-in", "GET", "/es/accounts", "", nil, 303, "/es/sign-in", false},
		{"the sample customer signs in", "POST", "/es/sign-in", "user=marina&password=demo", []string{"Origin", own}, 303, "/es/accounts", true},
		{"another one does not", "POST", "/es/sign-in", "user=marina&password=x", []string{"Origin", own}, 200, "", false},
		{"no other site signs anybody in", "POST", "/es/sign-in", "user=marina&password=demo", []string{"Origin", "http://evil.example"}, 403, "", false},
		{"signing out ends it", "POST", "/en/sign-out", "", []string{"Origin", own}, 303, "/en/", true},
		{"no page takes anything else", "POST", "/en/cards", "", []string{"Origin", own}, 404, "", false},
		{"there is no other page", "GET", "/en/loans", "", nil, 404, "", false},
		{"there is no other language", "GET", "/de/", "", nil, 404, "", false},
		{"templates are no files", "GET", "/layout.html", "", nil, 404, "", false},
		{"the style sheet is there", "GET", "/bank.css", "", nil, 200, "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			res := ask(t, handler, test.method, test.path, test.body, test.headers...)
			if res.StatusCode != test.status || res.Header.Get("Location") != test.location {
				t.Errorf("%d %q, want %d %q", res.StatusCode, res.Header.Get("Location"), test.status, test.location)
			}
			if cookies := res.Cookies(); (len(cookies) > 0) != test.cookie {
				t.Errorf("the cookies are %v", cookies)
			}
		})
	}
}

func TestOutbox(t *testing.T) {
	outbox, err := NewOutbox(files)
	if err != nil {
		t.Fatal(err)
	}
	if body := text(t, ask(t, outbox, "GET", "/", "", "Accept-Language", "es")); !strings.Contains(body, "Todavía nada") || !strings.Contains(body, "DEMO") {
		t.Errorf("an empty outbox does not say so: %s", body)
	}
	for i := range mostMails + 1 {
		outbox.Send(Mail{Kind: "mail", To: "ana@example.com", Subject: fmt.Sprintf("number <%d>", i), Text: "hello", At: time.Unix(0, 0)})
	}
	body := text(t, ask(t, outbox, "GET", "/", ""))
	if strings.Count(body, "<article>") != mostMails || strings.Contains(body, "&lt;0&gt;") || strings.Index(body, "&lt;200&gt;") > strings.Index(body, "&lt;199&gt;") {
		t.Errorf("the outbox does not keep the newest %d, the newest first", mostMails)
	}
}
