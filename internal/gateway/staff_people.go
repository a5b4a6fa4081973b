package gateway

import (
	"context"
	"net/http"
	"slices"

	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/directory"
	"github.com/aldaba-chat/aldaba/internal/identity"
	"github.com/aldaba-chat/aldaba/internal/policy"
	"github.com/aldaba-chat/aldaba/internal/wire"
)

// personBody is a member of the staff as the list of people shows it.
type personBody struct {
	ID          string   `json:"id"`
	Login       string   `json:"login"`
	Name        string   `json:"name"`
	Title       string   `json:"title"`
	Role        string   `json:"role" enum:"agent,supervisor,administrator"`
	Departments []string `json:"departments" doc:"their ids"`
	Cap         int      `json:"cap" doc:"conversations at once; 0 leaves it to the department"`
	State       string   `json:"state" enum:"invited,active,suspended"`
	Devices     int      `json:"devices"`
	LastSeen    int64    `json:"lastSeen,omitzero" doc:"milliseconds since 1970"`
}

func bodyOf(p identity.Person) personBody {
	b := personBody{
		ID: p.ID.String(), Login: p.Login, Name: p.Name, Title: p.Title, Role: p.Role.String(), Departments: []string{},
		Cap: p.Cap, State: p.State.String(), Devices: p.Devices, LastSeen: p.Seen,
	}
	for _, id := range p.Departments {
		b.Departments = append(b.Departments, wire.Text(id[:]))
	}
	return b
}

// oneTimeLink is a one-time link, which nobody can read again.
type oneTimeLink struct {
	Link    string `json:"link" doc:"the address to hand over, on a way that does not lead through this server"`
	Expires int64  `json:"expires" doc:"milliseconds since 1970"`
}

func (s *staff) linkOf(ctx context.Context, t identity.Ticket) oneTimeLink {
	return oneTimeLink{Link: callerOf(ctx).origin + "/join#" + t.Token, Expires: t.Until.UnixMilli()}
}

type personPath struct {
	ID string `path:"id" maxLength:"64"`
}

// id reads the path's id: what is none is nobody.
func (p personPath) id() (chat.StaffID, error) {
	id, err := chat.ParseID[chat.Staff](p.ID)
	if err != nil {
		return id, (&chat.Error{Kind: chat.KindNotFound, Field: "id", Message: "there is no such person"}).Because(err)
	}
	return id, nil
}

type personAnswer struct{ Body personBody }

// peopleOperations are what an administrator does with accounts.
func (s *staff) peopleOperations() {
	type list struct{ Body []personBody }
	register(s, operation{method: http.MethodGet, path: "/api/people", action: policy.SeePeople, summary: "Everybody, by login"},
		func(ctx context.Context, _ *struct{}) (*list, error) {
			people, err := s.Staff.People(ctx)
			if err != nil {
				return nil, err
			}
			l := &list{Body: []personBody{}}
			for _, p := range people {
				l.Body = append(l.Body, bodyOf(p))
			}
			return l, nil
		})
	type invitation struct {
		Body struct {
			Login       string   `json:"login" maxLength:"200"`
			Name        string   `json:"name" maxLength:"400"`
			Title       string   `json:"title" maxLength:"400"`
			Role        string   `json:"role" enum:"agent,supervisor,administrator"`
			Departments []string `json:"departments" maxItems:"64" doc:"their ids or names"`
			Cap         int      `json:"cap,omitempty" doc:"conversations at once; 0 leaves it to the department"`
		}
	}
	type invited struct {
		Body struct {
			Person  personBody `json:"person"`
			Link    string     `json:"link" doc:"as of POST /api/people/{id}/link"`
			Expires int64      `json:"expires" doc:"milliseconds since 1970"`
		}
	}
	register(s, operation{method: http.MethodPost, path: "/api/people", action: policy.ManagePeople, summary: "Invite a person", status: http.StatusCreated},
		func(ctx context.Context, in *invitation) (*invited, error) {
			role, err := chat.ParseRole(in.Body.Role)
			if err != nil {
				return nil, err
			}
			departments, err := s.knownDepartments(in.Body.Departments)
			if err != nil {
				return nil, err
			}
			a, ticket, err := s.Staff.Invite(ctx, identity.Profile{
				Login: in.Body.Login, Name: in.Body.Name, Title: in.Body.Title, Role: role, Departments: departments, Cap: in.Body.Cap,
			})
			if err != nil {
				return nil, err
			}
			b := new(invited)
			link := s.linkOf(ctx, ticket)
			b.Body.Person, b.Body.Link, b.Body.Expires = bodyOf(identity.Person{Account: a}), link.Link, link.Expires
			return b, nil
		})
	type edit struct {
		ID string `path:"id" maxLength:"64"`

		Body struct {
			Name        *string   `json:"name,omitempty" maxLength:"400"`
			Title       *string   `json:"title,omitempty" maxLength:"400"`
			Role        *string   `json:"role,omitempty" enum:"agent,supervisor,administrator"`
			Departments *[]string `json:"departments,omitempty" maxItems:"64"`
			Cap         *int      `json:"cap,omitempty"`
		}
	}
	register(s, operation{method: http.MethodPatch, path: "/api/people/{id}", action: policy.ManagePeople, summary: "Change a person; another role ends the sessions"},
		func(ctx context.Context, in *edit) (*personAnswer, error) {
			id, err := personPath{in.ID}.id()
			if err != nil {
				return nil, err
			}
			e := identity.Edit{Name: in.Body.Name, Title: in.Body.Title, Cap: in.Body.Cap}
			if in.Body.Role != nil {
				role, err := chat.ParseRole(*in.Body.Role)
				if err != nil {
					return nil, err
				}
				e.Role = &role
			}
			if in.Body.Departments != nil {
				departments, err := s.knownDepartments(*in.Body.Departments)
				if err != nil {
					return nil, err
				}
				e.Departments = &departments
			}
			a, err := s.Staff.Edit(ctx, id, e)
			if err != nil {
				return nil, err
			}
			devices, err := s.Staff.DevicesOf(ctx, id)
			return &personAnswer{bodyOf(identity.Person{Account: a, Devices: len(devices)})}, err
		})
	type anew struct{ Body oneTimeLink }
	register(s, operation{method: http.MethodPost, path: "/api/people/{id}/link", action: policy.ManagePeople, summary: "Another one-time link"},
		func(ctx context.Context, in *personPath) (*anew, error) {
			id, err := in.id()
			if err != nil {
				return nil, err
			}
			ticket, err := s.Staff.Link(ctx, id)
			if err != nil {
				return nil, err
			}
			return &anew{s.linkOf(ctx, ticket)}, nil
		})
	for _, o := range []struct {
		operation
		do func(context.Context, chat.StaffID) error
	}{
		{operation{method: http.MethodPost, path: "/api/people/{id}/suspend", summary: "End everything that a person has open, and keep them out"}, s.Staff.Suspend},
		{operation{method: http.MethodPost, path: "/api/people/{id}/resume", summary: "Let a suspended person in again"}, s.Staff.Resume},
		{operation{method: http.MethodDelete, path: "/api/people/{id}", summary: "Remove a person for good"}, s.Staff.Remove},
	} {
		o.action = policy.ManagePeople
		register(s, o.operation, func(ctx context.Context, in *personPath) (*struct{}, error) {
			id, err := in.id()
			if err != nil {
				return nil, err
			}
			return nil, o.do(ctx, id)
		})
	}
}

// knownDepartments reads departments, each by its id or its name, and refuses
// those that the organisation has not.
func (s *staff) knownDepartments(texts []string) ([][16]byte, error) {
	all := s.Directory.Departments()
	ids := [][16]byte{}
	for _, text := range texts {
		i := slices.IndexFunc(all, func(d directory.Department) bool { return wire.Text(d.ID[:]) == text || d.Name == text })
		if i < 0 {
			return nil, chat.Invalid("departments", "the organisation has no such department")
		}
		ids = append(ids, all[i].ID)
	}
	return ids, nil
}
