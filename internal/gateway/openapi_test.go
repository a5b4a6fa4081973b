package gateway

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/aldaba-chat/aldaba/internal/policy"
)

var update = flag.Bool("update", false, "write protocol/openapi.yaml anew")

const openapi = "../../protocol/openapi.yaml"

func scaffold(t *testing.T) *staff {
	t.Helper()
	door, err := policy.New()
	if err != nil {
		t.Fatal(err)
	}
	return newStaff(newAPI(Options{Log: slog.New(slog.DiscardHandler), Policy: door, Now: time.Now}))
}

// What is served is what protocol/openapi.yaml says: a change of it is a diff
// that somebody reads. `make gen` writes it anew.
func TestOpenAPI(t *testing.T) {
	got, err := scaffold(t).huma.OpenAPI().YAML()
	if err != nil {
		t.Fatal(err)
	}
	got = append([]byte("# Written by `make gen` from internal/gateway.\n"), got...)
	if *update {
		if err := os.WriteFile(openapi, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(openapi)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Error("protocol/openapi.yaml is not what is served: run `make gen` and look at the difference")
	}
}

// The library's own refusals repeat nothing of what was sent: neither values
// nor names that a stranger made up.
func TestStaff_RefusalsLeakNothing(t *testing.T) {
	type input struct {
		Body struct {
			Name string `json:"name" maxLength:"5"`
		}
	}
	s := scaffold(t)
	register(s, operation{method: http.MethodPost, path: "/api/probe", action: policy.SignIn, summary: "a probe"},
		func(_ context.Context, in *input) (*struct{}, error) {
			if in.Body.Name == "boom" {
				return nil, errors.New("a private cause")
			}
			return nil, nil
		})
	for _, c := range []struct {
		name, body, contentType string
		status                  int
		field                   string
	}{
		{"too long", `{"name":"SECRET-VALUE"}`, "application/json", 400, "name"},
		{"unknown member", `{"name":"a","SECRET<b>":1}`, "application/json", 400, "body"},
		{"twice", `{"name":"a","name":"SECRET"}`, "application/json", 400, ""},
		{"another letter case", `{"NAME":"a"}`, "application/json", 400, ""},
		{"no JSON", `SECRET`, "application/json", 400, ""},
		{"another type", `SECRET`, "text/SECRET", 415, ""},
		{"too large", `{"name":"` + strings.Repeat("S", staffBodyLimit+1) + `"}`, "application/json", 413, "body"},
		{"a failure", `{"name":"boom"}`, "application/json", 500, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/api/probe", strings.NewReader(c.body))
			r.Header.Set("Content-Type", c.contentType)
			w := httptest.NewRecorder()
			s.mux.ServeHTTP(w, r)
			var d details
			if err := json.Unmarshal(w.Body.Bytes(), &d, json.RejectUnknownMembers(true)); err != nil {
				t.Fatalf("%v: %s", err, w.Body)
			}
			if w.Code != c.status || d.Status != c.status || d.Code == "" || d.Detail == "" || c.field != "" && d.Field != c.field {
				t.Errorf("got %d %+v", w.Code, d)
			}
			if strings.Contains(w.Body.String(), "SECRET") || strings.Contains(w.Body.String(), "private") {
				t.Errorf("the refusal repeats what was sent: %s", w.Body)
			}
			if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("Content-Type %q", got)
			}
		})
	}
}
