package gateway

import (
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/go-json-experiment/json"

	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/policy"
	"github.com/aldaba-chat/aldaba/internal/site"
)

// staffBodyLimit is in bytes: the longest request is a site with all its fields.
const staffBodyLimit = 32 << 10

//go:generate go test -run ^TestOpenAPI$ -update .

// staff answers what is below /api/ on the console's host. Its description is
// protocol/openapi.yaml, which a test compares with what is served.
type staff struct {
	*api
	operations []operation
	mux        *http.ServeMux
	huma       huma.API
	// loader is what a site's pages load: empty when the pages were not built.
	loader site.Loader
}

// operation is one request of the staff's pages.
type operation struct {
	method, path string
	action       policy.Action // what the one door is asked before it
	summary      string
	status       int // of success; 0 is 200, or 204 for an answer without a body
}

// newStaff registers every operation.
func newStaff(a *api) *staff {
	s := &staff{api: a, mux: http.NewServeMux()}
	if a.Pages != nil {
		s.loader, _ = site.LoaderOf(a.Pages) // one that was not built is empty
	}
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Aldaba: the staff's pages", Version: "1",
				Description: "What the console asks of its own server. Errors are problem details (RFC 9457) with `code`, and with `field` and `limit` where an input is wrong.",
			},
			Components: &huma.Components{Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)},
		},
		Formats:                      map[string]huma.Format{"application/json": strictJSON, "json": strictJSON},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
		// Neither the library's pages of documentation nor its links: they load
		// scripts of others, and the description is in the sources.
	}
	s.huma = humago.New(s.mux, config)
	s.aboutOperations()
	s.signInOperations()
	s.demoOperations()
	s.peopleOperations()
	s.departmentOperations()
	s.siteOperations()
	s.setupOperations()
	s.supervisionOperations()
	return s
}

// strictJSON refuses duplicate members, names in other letter case and bytes
// that are no UTF-8; the library refuses members that are not described.
var strictJSON = huma.Format{
	Marshal:   func(w io.Writer, v any) error { return json.MarshalWrite(w, v) },
	Unmarshal: func(data []byte, v any) error { return json.Unmarshal(data, v) },
}

// register adds an operation. What the handler returns as an error becomes
// problem details by the rules of [api.problemOf].
func register[I, O any](s *staff, o operation, handle func(context.Context, *I) (*O, error)) {
	s.operations = append(s.operations, o)
	name := strings.ToLower(o.method) + strings.NewReplacer("/api", "", "/", "-", "{", "", "}", "").Replace(o.path)
	huma.Register(s.huma, huma.Operation{
		OperationID: name, Method: o.method, Path: o.path, Summary: o.summary, DefaultStatus: o.status,
		MaxBodyBytes: staffBodyLimit, RejectUnknownQueryParameters: true,
		Errors: []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusTooManyRequests},
	}, func(ctx context.Context, input *I) (*O, error) {
		_, err := s.enter(ctx, o.action)
		if err != nil {
			return nil, s.problemOf(o.path, err)
		}
		output, err := handle(ctx, input)
		if err != nil {
			return nil, s.problemOf(o.path, err)
		}
		return output, nil
	})
}

// GetStatus, Error and ContentType make details the errors of huma's answers.
func (d *details) GetStatus() int { return d.Status }

func (d *details) Error() string { return d.Detail }

// ContentType is that of problem details.
func (d *details) ContentType(string) string { return "application/problem+json" }

//nolint:gochecknoinits // the library has one place for this, and it is global
func init() {
	huma.ValidateStrictCasing = true
	huma.NewErrorWithContext = func(_ huma.Context, status int, _ string, errs ...error) huma.StatusError {
		return outside(status, errs)
	}
	huma.NewError = func(status int, _ string, errs ...error) huma.StatusError { return outside(status, errs) }
}

// outside is a refusal of the library itself. Its own texts repeat what was
// sent, so only the place of the mistake is taken from them.
func outside(status int, errs []error) *details {
	d := &details{Type: "about:blank", Status: status, Code: "invalid", Detail: "The request is not as protocol/openapi.yaml describes it."}
	switch {
	case status == http.StatusUnprocessableEntity || status == http.StatusBadRequest:
		d.Status = http.StatusBadRequest
	case status == http.StatusRequestEntityTooLarge:
		d.Code, d.Limit, d.Field = chat.KindTooLarge.String(), staffBodyLimit, "body"
	case status >= http.StatusInternalServerError:
		d.Code, d.Detail = "internal", "Something failed inside the server: its log says what."
	}
	for _, err := range errs {
		if e, ok := err.(huma.ErrorDetailer); ok && d.Field == "" {
			d.Field = plainField(strings.TrimPrefix(e.ErrorDetail().Location, "body."))
		}
	}
	d.Title = http.StatusText(d.Status)
	return d
}

// plainField keeps the name of a member that a stranger made up to what a name
// of ours could be.
func plainField(name string) string {
	const fine = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.[]-_"
	strange := func(c rune) bool { return !strings.ContainsRune(fine, c) }
	if len(name) > 64 || strings.ContainsFunc(name, strange) {
		return "body"
	}
	return name
}

// serveStaff answers a request below /api/.
func (g *Gateway) serveStaff(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if err := g.hosts.ownOrigin(r); err != nil {
		g.api.refuse(w, r, err)
		return
	}
	g.staff.answer(w, r.WithContext(withCaller(r.Context(), g.callerFrom(w, r))))
}

// answer serves an operation to the caller of the request's context.
func (s *staff) answer(w http.ResponseWriter, r *http.Request) {
	if r.Body != nil {
		r.Body = http.MaxBytesReader(w, r.Body, staffBodyLimit+1) // whatever the library does
	}
	if _, pattern := s.mux.Handler(r); pattern == "" {
		notFound.write(w)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// about is what a page shows before anybody is signed in.
type about struct {
	Version string `json:"version" doc:"of the server"`
	Founded bool   `json:"founded" doc:"whether the organisation is there"`
	Demo    bool   `json:"demo" doc:"whether this is the demonstration"`
}

func (s *staff) aboutOperations() {
	type answer struct{ Body about }
	register(s, operation{method: http.MethodGet, path: "/api/about", action: policy.SeeSite, summary: "What anybody may know before the sign-in"},
		func(context.Context, *struct{}) (*answer, error) {
			return &answer{about{Version: s.Version, Founded: s.Directory.Trust() != nil, Demo: s.Hosts.Demo}}, nil
		})
}
