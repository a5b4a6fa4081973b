package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/aldaba-chat/aldaba/internal/site"
)

const siteHelp = `usage: aldaba site <command>

  list
  add <id> --name=… --department=… [what edit takes]
  edit <id> [--name=…] [--origin=https://…] [--language=es|en] [--department=…]
            [--contact=text] [--contact-href=https:…|mailto:…|tel:…]
            [--fields=file.json] [--enabled=on|off]
            origin, language and department can be given several times: what is
            given replaces what was there. The file is a list of fields, each with
            name, kind (text, mail, phone, choice), label (by language), required
            and, for a choice, choices.
  remove <id>       its conversations stay
  snippet <id>      the lines for the site's pages
` + remoteHelp

const departmentHelp = `usage: aldaba department <command>

  list
  cap <department> <conversations>   how many open ones a person may have there;
                                     the department by its id or name
` + remoteHelp

// website is what the server says about a site.
type website struct {
	ID          string       `json:"id"`
	Name        string       `json:"name"`
	Origins     []string     `json:"origins"`
	Languages   []string     `json:"languages"`
	Departments []string     `json:"departments"`
	Fields      []site.Field `json:"fields"`
	Contact     site.Contact `json:"contact"`
	Enabled     bool         `json:"enabled"`
	Seen        *struct {
		At     int64  `json:"at"`
		Origin string `json:"origin"`
	} `json:"seen,omitzero"`
	Snippet     string `json:"snippet"`
	CSP         string `json:"csp"`
	CSPByOrigin string `json:"cspByOrigin"`
}

// siteEdit is what flags say about a site; what they do not say stays.
type siteEdit struct {
	ID          string        `json:"id,omitzero"`
	Name        *string       `json:"name,omitzero"`
	Origins     []string      `json:"origins,omitzero"`
	Languages   []string      `json:"languages,omitzero"`
	Departments []string      `json:"departments,omitzero"`
	Fields      *[]site.Field `json:"fields,omitzero"`
	Contact     *site.Contact `json:"contact,omitzero"`
	Enabled     *bool         `json:"enabled,omitzero"`
}

// sites is the command for websites.
type sites struct{ *remote }

func (p program) sites(ctx context.Context, args []string) int {
	if len(args) == 0 {
		fmt.Fprint(p.stderr, siteHelp)
		return exitUsage
	}
	command, rest := args[0], args[1:]
	s := sites{p.remote("site", siteHelp, command)}
	wanted := 1
	var do func(words []string) error
	switch command {
	case "list":
		wanted, do = 0, func([]string) error { return s.list(ctx) }
	case "add":
		edit := s.edit()
		do = func(words []string) error {
			edit.ID = words[0]
			return s.change(ctx, http.MethodPost, "/api/sites", "added", edit)
		}
	case "edit":
		edit := s.edit()
		do = func(words []string) error {
			return s.change(ctx, http.MethodPatch, "/api/sites/"+url.PathEscape(words[0]), "changed", edit)
		}
	case "remove":
		do = func(words []string) error {
			if err := s.ask(ctx, http.MethodDelete, "/api/sites/"+url.PathEscape(words[0]), nil, nil); err != nil {
				return err
			}
			return s.said(struct {
				ID   string `json:"id"`
				Done string `json:"done"`
			}{words[0], "removed"}, "removed "+words[0]+"\n")
		}
	case "snippet":
		do = func(words []string) error { return s.snippet(ctx, words[0]) }
	}
	return s.perform(ctx, rest, wanted, do)
}

// edit reads the flags of add and edit.
func (s sites) edit() *siteEdit {
	e := new(siteEdit)
	list := func(name string, into *[]string) {
		s.flags.Func(name, "", func(text string) error {
			*into = append(*into, text)
			return nil
		})
	}
	list("origin", &e.Origins)
	list("language", &e.Languages)
	list("department", &e.Departments)
	s.flags.Func("name", "", func(text string) error {
		e.Name = &text
		return nil
	})
	contact := func() *site.Contact {
		if e.Contact == nil {
			e.Contact = new(site.Contact)
		}
		return e.Contact
	}
	s.flags.Func("contact", "", func(text string) error {
		contact().Text = text
		return nil
	})
	s.flags.Func("contact-href", "", func(text string) error {
		contact().Href = text
		return nil
	})
	s.flags.Func("enabled", "", func(text string) error {
		on := text == "on"
		if !on && text != "off" {
			return errors.New("write on or off")
		}
		e.Enabled = &on
		return nil
	})
	s.flags.Func("fields", "", func(name string) error {
		content, err := os.ReadFile(name) //nolint:gosec // whoever calls the command names the file
		if err != nil {
			return err
		}
		var fields []site.Field
		if err := json.Unmarshal(content, &fields, json.RejectUnknownMembers(true)); err != nil {
			return fmt.Errorf("%s is no list of fields: %w", name, err)
		}
		e.Fields = &fields
		return nil
	})
	return e
}

// said prints a value as JSON, or a text.
func (r *remote) said(value any, text string) error {
	if r.json {
		r.printJSON(value)
		return nil
	}
	_, err := fmt.Fprint(r.stdout, text)
	return err
}

func (s sites) change(ctx context.Context, method, path, done string, edit *siteEdit) error {
	var got website
	if err := s.ask(ctx, method, path, edit, &got); err != nil {
		return err
	}
	return s.said(got, fmt.Sprintf("%s %s\n", done, got.ID))
}

func (s sites) all(ctx context.Context) (all []website, err error) {
	return all, s.ask(ctx, http.MethodGet, "/api/sites", nil, &all)
}

func (s sites) list(ctx context.Context) error {
	all, err := s.all(ctx)
	if err != nil || s.json {
		return errors.Join(err, s.said(all, ""))
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "id\tname\tlanguages\torigins\tstate\tseen on its pages")
	for _, one := range all {
		state, seen := "on", "never"
		if !one.Enabled {
			state = "off"
		}
		if one.Seen != nil {
			seen = time.UnixMilli(one.Seen.At).UTC().Format("2006-01-02 15:04 UTC") + " on " + one.Seen.Origin
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", one.ID, one.Name, strings.Join(one.Languages, " "), strings.Join(one.Origins, " "), state, seen)
	}
	return w.Flush()
}

func (s sites) snippet(ctx context.Context, id string) error {
	all, err := s.all(ctx)
	if err != nil {
		return err
	}
	for _, one := range all {
		switch {
		case one.ID != id:
			continue
		case one.Snippet == "":
			return errNoPages
		}
		return s.said(struct {
			Snippet     string `json:"snippet"`
			CSP         string `json:"csp"`
			CSPByOrigin string `json:"cspByOrigin"`
		}{one.Snippet, one.CSP, one.CSPByOrigin}, fmt.Sprintf(`on every page that has the chat:
  %s
added to the pages' Content-Security-Policy, if they have one:
  %s
or, for browsers that match no hashes of files:
  %s
`, one.Snippet, one.CSP, one.CSPByOrigin))
	}
	return fmt.Errorf("there is no site %q: `aldaba site list` shows which there are", id)
}

// team is what the server says about a department.
type team struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Mode    string `json:"mode"`
	Cap     int    `json:"cap"`
	People  int    `json:"people"`
	Waiting int    `json:"waiting"`
}

// departments is the command for what an administrator sets about departments.
func (p program) departments(ctx context.Context, args []string) int {
	if len(args) == 0 {
		fmt.Fprint(p.stderr, departmentHelp)
		return exitUsage
	}
	command, rest := args[0], args[1:]
	r := p.remote("department", departmentHelp, command)
	wanted := 0
	var do func(words []string) error
	switch command {
	case "list":
		do = func([]string) error {
			var all []team
			if err := r.ask(ctx, http.MethodGet, "/api/departments", nil, &all); err != nil || r.json {
				return errors.Join(err, r.said(all, ""))
			}
			w := tabwriter.NewWriter(r.stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "id\tname\tmode\tcap\tpeople\twaiting")
			for _, d := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\n", d.ID, d.Name, d.Mode, d.Cap, d.People, d.Waiting)
			}
			return w.Flush()
		}
	case "cap":
		wanted, do = 2, func(words []string) error {
			var open int
			if _, err := fmt.Sscanf(words[1]+"\n", "%d\n", &open); err != nil {
				return misuse(fmt.Sprintf("%q is no number of conversations", words[1]))
			}
			var got team
			if err := r.ask(ctx, http.MethodPatch, "/api/departments/"+url.PathEscape(words[0]), map[string]int{"cap": open}, &got); err != nil {
				return err
			}
			return r.said(got, fmt.Sprintf("%s: %d open conversations for each person\n", got.Name, got.Cap))
		}
	}
	return r.perform(ctx, rest, wanted, do)
}
