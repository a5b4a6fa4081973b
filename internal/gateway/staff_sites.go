package gateway

import (
	"context"
	"net/http"
	"slices"

	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/identity"
	"github.com/aldaba-chat/aldaba/internal/policy"
	"github.com/aldaba-chat/aldaba/internal/site"
	"github.com/aldaba-chat/aldaba/internal/wire"
)

// departmentBody is a department as an administrator or supervisor sees it.
type departmentBody struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Mode    string `json:"mode" enum:"sealed,assisted"`
	Cap     int    `json:"cap" doc:"open conversations of one person"`
	People  int    `json:"people" doc:"active accounts"`
	Waiting int    `json:"waiting" doc:"conversations in its line"`
}

// departmentOperations show the departments of the signed policy, and set what
// is not in it.
func (s *staff) departmentOperations() {
	type list struct{ Body []departmentBody }
	register(s, operation{method: http.MethodGet, path: "/api/departments", action: policy.SeeDepartments, summary: "The organisation's departments"},
		func(ctx context.Context, _ *struct{}) (*list, error) {
			all, err := s.departments(ctx)
			return &list{all}, err
		})
	type edit struct {
		ID   string `path:"id" maxLength:"200" doc:"its id, or its name"`
		Body struct {
			Cap int `json:"cap" doc:"open conversations of one person, 1 to 50"`
		}
	}
	type answer struct{ Body departmentBody }
	register(s, operation{method: http.MethodPatch, path: "/api/departments/{id}", action: policy.ManageDepartments, summary: "Set a department's cap; what is open stays"},
		func(ctx context.Context, in *edit) (*answer, error) {
			ids, err := s.knownDepartments([]string{in.ID})
			if err != nil {
				return nil, &chat.Error{Kind: chat.KindNotFound, Field: "id", Message: "there is no such department"}
			}
			if err := s.Offices.SetCap(ctx, ids[0], in.Body.Cap); err != nil {
				return nil, err
			}
			all, err := s.departments(ctx)
			if err != nil {
				return nil, err
			}
			i := slices.IndexFunc(all, func(d departmentBody) bool { return d.ID == wire.Text(ids[0][:]) })
			return &answer{all[i]}, nil
		})
}

func (s *staff) departments(ctx context.Context) ([]departmentBody, error) {
	people, err := s.Staff.People(ctx)
	if err != nil {
		return nil, err
	}
	all := []departmentBody{}
	for _, d := range s.Directory.Departments() {
		of := showDepartment(d)
		one := departmentBody{ID: of.ID, Name: of.Name, Mode: of.Mode, Cap: s.Offices.Cap(d.ID)}
		for _, p := range people {
			if p.State == identity.Active && slices.Contains(p.Departments, d.ID) {
				one.People++
			}
		}
		if one.Waiting, _, err = s.Conversations.Line(ctx, d.ID); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// siteBody is a site with how to install it.
type siteBody struct {
	ID          string       `json:"id"`
	Name        string       `json:"name"`
	Origins     []string     `json:"origins" doc:"whose pages may show the chat"`
	Languages   []string     `json:"languages" doc:"es, en; the first is the site's own"`
	Departments []string     `json:"departments" doc:"ids; the first is whom visitors reach"`
	Fields      []site.Field `json:"fields" doc:"asked before a conversation"`
	Contact     site.Contact `json:"contact" doc:"another way to reach the company"`
	Enabled     bool         `json:"enabled"`
	Seen        *seenBody    `json:"seen,omitempty" doc:"when the chat was last opened on one of its pages"`
	Snippet     string       `json:"snippet" doc:"for the site's pages; empty while the server's own pages are not built"`
	CSP         string       `json:"csp" doc:"for pages with a Content-Security-Policy"`
	CSPByOrigin string       `json:"cspByOrigin" doc:"the same for browsers that match no hashes of files"`
}

type seenBody struct {
	At     int64  `json:"at" doc:"milliseconds since 1970"`
	Origin string `json:"origin"`
}

func (s *staff) showSite(one site.Site) siteBody {
	var install site.Install
	if s.loader != (site.Loader{}) {
		install = one.Installation(s.Offices.Chat(), s.loader)
	}
	b := siteBody{
		ID: one.ID, Name: one.Name, Origins: one.Origins, Languages: one.Languages, Departments: []string{},
		Fields: one.Fields, Contact: one.Contact, Enabled: one.Enabled,
		Snippet: install.Snippet, CSP: install.CSP, CSPByOrigin: install.CSPByOrigin,
	}
	for _, d := range one.Departments {
		b.Departments = append(b.Departments, wire.Text(d[:]))
	}
	if one.Seen.At != 0 {
		b.Seen = &seenBody{one.Seen.At, one.Seen.Origin}
	}
	return b
}

// SiteEdit is what is set of a site; what is left out stays. Its name is in
// capitals for the library, which finds the members of such structs only.
type SiteEdit struct {
	Name        *string       `json:"name,omitempty" maxLength:"400"`
	Origins     *[]string     `json:"origins,omitempty" maxItems:"100"`
	Languages   *[]string     `json:"languages,omitempty" maxItems:"10"`
	Departments *[]string     `json:"departments,omitempty" maxItems:"64" doc:"ids or names"`
	Fields      *[]site.Field `json:"fields,omitempty" maxItems:"64"`
	Contact     *site.Contact `json:"contact,omitempty"`
	Enabled     *bool         `json:"enabled,omitempty"`
}

// onto gives the change, after reading the departments.
func (s *staff) onto(e SiteEdit) (func(*site.Site), error) {
	var departments *[][16]byte
	if e.Departments != nil {
		ids, err := s.knownDepartments(*e.Departments)
		if err != nil {
			return nil, err
		}
		departments = &ids
	}
	return func(one *site.Site) {
		set(&one.Name, e.Name)
		set(&one.Origins, e.Origins)
		set(&one.Languages, e.Languages)
		set(&one.Departments, departments)
		set(&one.Fields, e.Fields)
		set(&one.Contact, e.Contact)
		set(&one.Enabled, e.Enabled)
	}, nil
}

func set[T any](at, to *T) {
	if to != nil {
		*at = *to
	}
}

type siteAnswer struct{ Body siteBody }

type sitePath struct {
	ID string `path:"id" maxLength:"64"`
}

// siteOperations are what an administrator does with sites.
func (s *staff) siteOperations() {
	type list struct{ Body []siteBody }
	register(s, operation{method: http.MethodGet, path: "/api/sites", action: policy.SeeSites, summary: "All sites, and how to install them"},
		func(context.Context, *struct{}) (*list, error) {
			l := &list{Body: []siteBody{}}
			for _, one := range s.Offices.List() {
				l.Body = append(l.Body, s.showSite(one))
			}
			return l, nil
		})
	type fresh struct {
		Body struct {
			ID string `json:"id" maxLength:"64" doc:"short, of letters, digits and hyphens; it stays"`
			SiteEdit
		}
	}
	register(s, operation{method: http.MethodPost, path: "/api/sites", action: policy.ManageSites, summary: "Add a site", status: http.StatusCreated},
		func(ctx context.Context, in *fresh) (*siteAnswer, error) {
			change, err := s.onto(in.Body.SiteEdit)
			if err != nil {
				return nil, err
			}
			one := site.Site{ID: in.Body.ID, Origins: []string{}, Languages: site.Languages, Fields: []site.Field{}, Enabled: true}
			change(&one)
			if err := s.Offices.Add(ctx, one); err != nil {
				return nil, err
			}
			return &siteAnswer{s.showSite(one)}, nil
		})
	type edit struct {
		ID   string `path:"id" maxLength:"64"`
		Body SiteEdit
	}
	register(s, operation{method: http.MethodPatch, path: "/api/sites/{id}", action: policy.ManageSites, summary: "Change a site"},
		func(ctx context.Context, in *edit) (*siteAnswer, error) {
			change, err := s.onto(in.Body)
			if err != nil {
				return nil, err
			}
			one, err := s.Offices.Edit(ctx, in.ID, change)
			if err != nil {
				return nil, err
			}
			return &siteAnswer{s.showSite(one)}, nil
		})
	register(s, operation{method: http.MethodDelete, path: "/api/sites/{id}", action: policy.ManageSites, summary: "Remove a site; its conversations stay"},
		func(ctx context.Context, in *sitePath) (*struct{}, error) {
			return nil, s.Offices.Remove(ctx, in.ID)
		})
}

// setupStep is one of what an installation needs before the first chat.
type setupStep struct {
	Step string `json:"step" enum:"organisation,department,site,people,chat"`
	Done bool   `json:"done"`
}

func (s *staff) setupOperations() {
	type list struct{ Body []setupStep }
	register(s, operation{method: http.MethodGet, path: "/api/setup", action: policy.SeeSetup, summary: "What an installation still lacks"},
		func(ctx context.Context, _ *struct{}) (*list, error) {
			people, err := s.Staff.People(ctx)
			if err != nil {
				return nil, err
			}
			answered, err := s.Conversations.Answered(ctx)
			if err != nil {
				return nil, err
			}
			installed := func(one site.Site) bool { return one.Enabled && len(one.Origins) > 0 }
			works := func(p identity.Person) bool {
				return p.State == identity.Active && p.Devices > 0 && p.Role != chat.RoleAdministrator
			}
			return &list{[]setupStep{
				{"organisation", s.Directory.Trust() != nil},
				{"department", len(s.Directory.Departments()) > 0},
				{"site", slices.ContainsFunc(s.Offices.List(), installed)},
				{"people", slices.ContainsFunc(people, works)},
				{"chat", answered},
			}}, nil
		})
}
