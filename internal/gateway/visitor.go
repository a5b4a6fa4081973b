package gateway

import (
	"net/http"
	"slices"

	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/directory"
	"github.com/aldaba-chat/aldaba/internal/seal"
	"github.com/aldaba-chat/aldaba/internal/site"
	"github.com/aldaba-chat/aldaba/internal/wire"
)

func showDepartment(d directory.Department) departmentOf {
	mode := "assisted"
	if d.Mode == seal.Sealed {
		mode = "sealed"
	}
	return departmentOf{wire.Text(d.ID[:]), d.Name, mode}
}

// site tells a visitor's page what it needs before a conversation. Without a
// name it is the organisation's own page, which leads to every department.
func (a *api) site(w http.ResponseWriter, r *http.Request) error {
	trust := a.Directory.Trust()
	if trust == nil {
		return &chat.Error{Kind: chat.KindUnavailable, Message: "this server has no organisation yet"}
	}
	departments := a.Directory.Departments()
	one := site.Site{Languages: site.Languages, Fields: []site.Field{}}
	if query := r.URL.Query(); query.Has("site") {
		var err error
		if one, err = a.Offices.Live(query.Get("site")); err != nil {
			return err
		}
		departments = reached(one, departments)
	}
	if len(departments) == 0 {
		return &chat.Error{Kind: chat.KindUnavailable, Message: "no department can be reached from here yet"}
	}
	org, first := trust.Org(), departments[0]
	answer := struct {
		Org         string         `json:"org"`
		Dept        string         `json:"dept"`
		Mode        byte           `json:"mode"`
		MinPolicy   uint32         `json:"minPolicy"`
		Name        string         `json:"name"`
		Languages   []string       `json:"languages"`
		Departments []departmentOf `json:"departments"`
		Fields      []site.Field   `json:"fields"`
		Contact     site.Contact   `json:"contact"`
		Open        bool           `json:"open"` // somebody of one of the departments is there
	}{
		Org: wire.Text(org[:]), Dept: wire.Text(first.ID[:]), Mode: first.Mode, MinPolicy: trust.Policy().Version,
		Name: one.Name, Languages: one.Languages, Fields: one.Fields, Contact: one.Contact,
		Open: slices.ContainsFunc(departments, func(d directory.Department) bool { return a.Presence.Open(d.ID) }),
	}
	for _, d := range departments {
		answer.Departments = append(answer.Departments, showDepartment(d))
	}
	return a.sendJSON(w, http.StatusOK, answer)
}

// reached are the departments of a site that the policy still has, in the
// site's order: the first is whom its visitors reach unless they choose.
func reached(one site.Site, departments []directory.Department) (all []directory.Department) {
	for _, id := range one.Departments {
		i := slices.IndexFunc(departments, func(d directory.Department) bool { return d.ID == id })
		if i >= 0 {
			all = append(all, departments[i])
		}
	}
	return all
}

// place tells a visitor how many come before, and whether somebody is there.
func (a *api) place(w http.ResponseWriter, r *http.Request) error {
	place, dept, err := a.Conversations.Place(r.Context(), askedOf(r).conv)
	if err != nil {
		return err
	}
	return a.sendJSON(w, http.StatusOK, struct {
		Place int  `json:"place"`
		Open  bool `json:"open"`
	}{place, a.Presence.Open(dept)})
}

// typing passes on that a member types, and nothing of what.
func (a *api) typing(w http.ResponseWriter, r *http.Request) error {
	q := askedOf(r)
	leaf, err := a.Conversations.Typist(r.Context(), q.who.Key, q.conv)
	if err != nil {
		return err
	}
	a.Typing(q.conv, leaf)
	w.WriteHeader(http.StatusNoContent)
	return nil
}
