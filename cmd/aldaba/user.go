package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/config"
	"github.com/aldaba-chat/aldaba/internal/identity"
	"github.com/aldaba-chat/aldaba/internal/server"
)

const setupHelp = `usage: aldaba setup --organisation=… --login=… --name=… [--folder=…] [--console=…] [--json]

  makes an installation in an empty data folder and prints a link that works once
  and for 30 minutes: the first administrator chooses a password behind it. There
  is no password before. Settings of run (folder, address, console, chat) can be
  given, too.
`

const userHelp = `usage: aldaba user <command>

  list
  invite <login> --name=… [--title=…] [--role=agent|supervisor|administrator]
                 [--department=…, once for each] [--cap=…]
  link <login>            another one-time link: for who lost password or phone
  role <login> <role>     another role; the person's sessions end
  suspend <login>         end everything that the person has open, and keep them out
  resume <login>
  remove <login>
` + remoteHelp

// setup is the command that makes an installation.
func (p program) setup(ctx context.Context, args []string) int {
	flags := flag.NewFlagSet("setup", flag.ContinueOnError)
	organisation := flags.String("organisation", "", "")
	login := flags.String("login", "", "")
	name := flags.String("name", "", "")
	asJSON := flags.Bool("json", false, "")
	given := settingsOf(flags)
	words, err := arguments(flags, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(p.stdout, setupHelp)
		return exitOK
	case err != nil:
		return p.misused("setup: " + err.Error())
	case len(words) > 0:
		return p.misused(fmt.Sprintf("setup: %q is not understood: write settings as --name=value", words[0]))
	case *organisation == "" || *login == "" || *name == "":
		return p.misused("setup: name the company and its first administrator: --organisation=… --login=… --name=…")
	}
	settings, err := config.Load(p.env, *given)
	if err != nil {
		return p.misused(err.Error())
	}
	link, until, err := server.Setup(ctx, optionsOf(p, settings), *organisation, identity.Profile{Login: *login, Name: *name})
	if err != nil {
		return p.failed(err)
	}
	if *asJSON {
		return p.printJSON(struct {
			Folder  string `json:"folder"`
			Link    string `json:"link"`
			Expires int64  `json:"expires"`
		}{settings.Folder, link, until.UnixMilli()})
	}
	fmt.Fprintf(p.stdout, `%s is set up in %s; its root key is in %s-keys: copy that folder to a safe place.

1. Start the server:             aldaba run --folder=%s
2. Open this link until %s; it works once:
   %s
3. Make the organisation's keys, best on another machine:
   aldaba keys init --exchange=%s/exchange --department=Support:sealed
`, *organisation, settings.Folder, settings.Folder, settings.Folder, until.UTC().Format("15:04 UTC"), link, settings.Folder)
	return exitOK
}

// users is the command for accounts.
type users struct{ *remote }

// person is what the server says about one.
type person struct {
	ID          string   `json:"id"`
	Login       string   `json:"login"`
	Name        string   `json:"name"`
	Title       string   `json:"title"`
	Role        string   `json:"role"`
	Departments []string `json:"departments"`
	Cap         int      `json:"cap"`
	State       string   `json:"state"`
	Devices     int      `json:"devices"`
	LastSeen    int64    `json:"lastSeen,omitzero"`
}

type invitation struct {
	Person  *person `json:"person,omitempty"`
	Link    string  `json:"link"`
	Expires int64   `json:"expires"`
}

func (p program) users(ctx context.Context, args []string) int {
	if len(args) == 0 {
		fmt.Fprint(p.stderr, userHelp)
		return exitUsage
	}
	command, rest := args[0], args[1:]
	u := users{p.remote("user", userHelp, command)}
	flags := u.flags
	var who struct {
		Login       string   `json:"login"`
		Name        string   `json:"name"`
		Title       string   `json:"title"`
		Role        string   `json:"role"`
		Departments []string `json:"departments"`
		Cap         int      `json:"cap,omitzero"`
	}
	wanted := 1 // words
	var do func(words []string) error
	switch command {
	case "list":
		wanted, do = 0, func([]string) error { return u.list(ctx) }
	case "invite":
		who.Departments = []string{}
		flags.StringVar(&who.Name, "name", "", "")
		flags.StringVar(&who.Title, "title", "", "")
		flags.StringVar(&who.Role, "role", "agent", "")
		flags.IntVar(&who.Cap, "cap", 0, "")
		flags.Func("department", "", func(text string) error {
			who.Departments = append(who.Departments, text)
			return nil
		})
		do = func(words []string) error {
			who.Login = words[0]
			return u.link(ctx, "/api/people", who)
		}
	case "link":
		do = func(words []string) error {
			return u.about(ctx, words[0], func(p person) error { return u.link(ctx, "/api/people/"+p.ID+"/link", nil) })
		}
	case "suspend", "resume", "remove":
		do = func(words []string) error {
			return u.about(ctx, words[0], func(p person) error { return u.end(ctx, p, command) })
		}
	case "role":
		wanted, do = 2, func(words []string) error {
			return u.about(ctx, words[0], func(p person) error { return u.role(ctx, p, words[1]) })
		}
	}
	return u.perform(ctx, rest, wanted, do)
}

func (u users) people(ctx context.Context) (people []person, err error) {
	return people, u.ask(ctx, http.MethodGet, "/api/people", nil, &people)
}

func (u users) list(ctx context.Context) error {
	people, err := u.people(ctx)
	if err != nil {
		return err
	}
	if u.json {
		u.printJSON(people)
		return nil
	}
	w := tabwriter.NewWriter(u.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "login\tname\trole\tstate\tdevices\tlast seen")
	for _, p := range people {
		seen := "never"
		if p.LastSeen != 0 {
			seen = time.UnixMilli(p.LastSeen).UTC().Format("2006-01-02 15:04 UTC")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\n", p.Login, p.Name, p.Role, p.State, p.Devices, seen)
	}
	return w.Flush()
}

// link asks for a one-time link and prints it.
func (u users) link(ctx context.Context, path string, body any) error {
	var got invitation
	if err := u.ask(ctx, http.MethodPost, path, body, &got); err != nil {
		return err
	}
	if u.json {
		u.printJSON(got)
		return nil
	}
	fmt.Fprintf(u.stdout, "link  %s\nends  %s\nIt works once. Whoever has it becomes this person: hand it over on a way that does not lead through the server.\n",
		got.Link, time.UnixMilli(got.Expires).UTC().Format("2006-01-02 15:04 UTC"))
	return nil
}

// about finds a person by login.
func (u users) about(ctx context.Context, login string, do func(person) error) error {
	people, err := u.people(ctx)
	if err != nil {
		return err
	}
	for _, p := range people {
		if strings.EqualFold(p.Login, login) {
			return do(p)
		}
	}
	return fmt.Errorf("there is nobody of the login %q: `aldaba user list` shows who there is", login)
}

func (u users) end(ctx context.Context, p person, command string) error {
	method, path := http.MethodPost, "/api/people/"+p.ID+"/"+command
	p.State = map[string]string{"suspend": "suspended", "resume": "resumed", "remove": "removed"}[command]
	if command == "remove" {
		method, path = http.MethodDelete, "/api/people/"+p.ID
	}
	if err := u.ask(ctx, method, path, nil, nil); err != nil {
		return err
	}
	if u.json {
		u.printJSON(struct {
			Login string `json:"login"`
			Done  string `json:"done"`
		}{p.Login, p.State})
		return nil
	}
	fmt.Fprintf(u.stdout, "%s %s\n", p.State, p.Login)
	return nil
}

func (u users) role(ctx context.Context, p person, role string) error {
	if _, err := chat.ParseRole(role); err != nil {
		return err
	}
	var got person
	if err := u.ask(ctx, http.MethodPatch, "/api/people/"+p.ID, map[string]string{"role": role}, &got); err != nil {
		return err
	}
	if u.json {
		u.printJSON(got)
		return nil
	}
	fmt.Fprintf(u.stdout, "%s is %s now; whatever was open has ended\n", got.Login, got.Role)
	return nil
}
