package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/aldaba-chat/aldaba/internal/config"
	"github.com/aldaba-chat/aldaba/internal/server"
)

// remoteHelp is what the commands that ask a server have in common.
const remoteHelp = `
for every command:

  --folder=…  the data folder; a server that runs on it is asked by its socket
              control.sock, and without one the folder is opened
  --json      print JSON
`

// remote is a command of a group, such as user or site, that asks the server of
// a data folder.
type remote struct {
	program
	group, help, command string
	flags                *flag.FlagSet
	given                *[]string // settings
	json                 bool
	client               *http.Client // while the command runs
}

func (p program) remote(group, help, command string) *remote {
	r := &remote{program: p, group: group, help: help, command: command}
	r.flags = flag.NewFlagSet(command, flag.ContinueOnError)
	r.flags.BoolVar(&r.json, "json", false, "")
	r.given = settingsOf(r.flags)
	return r
}

// perform reads the arguments and does the command with its words, of which it
// wants so many. Without anything to do there is no such command.
func (r *remote) perform(ctx context.Context, args []string, wanted int, do func(words []string) error) int {
	switch r.command {
	case "help", "--help", "-h":
		fmt.Fprint(r.stdout, r.help)
		return exitOK
	}
	if do == nil {
		return r.misused(fmt.Sprintf("there is no command `%s %s`", r.group, r.command))
	}
	words, err := arguments(r.flags, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(r.stdout, r.help)
		return exitOK
	case err != nil:
		return r.misused(fmt.Sprintf("%s %s: %v", r.group, r.command, err))
	case len(words) != wanted:
		return r.misused(fmt.Sprintf("%s %s takes %d words and has %d; `aldaba %s help` shows them", r.group, r.command, wanted, len(words), r.group))
	}
	settings, err := config.Load(r.env, *r.given)
	if err != nil {
		return r.misused(err.Error())
	}
	client, done, err := server.Control(ctx, optionsOf(r.program, settings))
	if err != nil {
		return r.failed(err)
	}
	r.client = client
	err = errors.Join(do(words), done())
	var usage misuse
	switch {
	case errors.As(err, &usage):
		return r.misused(fmt.Sprintf("%s %s: %v", r.group, r.command, err))
	case err != nil:
		return r.failed(err)
	}
	return exitOK
}

// ask sends a request of the staff's API and reads the answer into into.
func (r *remote) ask(ctx context.Context, method, path string, body, into any) error {
	content := []byte{}
	if body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			return err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, server.ControlURL+path, bytes.NewReader(content)) //nolint:gosec // G704: the host is a constant, and the client goes to one socket
	if err != nil {
		return err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := r.client.Do(request) //nolint:gosec // G704: as above
	if err != nil {
		return fmt.Errorf("the server does not answer: %w", err)
	}
	defer answer.Body.Close() //nolint:errcheck // it was read
	if answer.StatusCode >= http.StatusBadRequest {
		var problem struct {
			Detail string `json:"detail"`
		}
		if err := json.UnmarshalRead(answer.Body, &problem); err != nil || problem.Detail == "" {
			return fmt.Errorf("the server refuses it: %s", answer.Status)
		}
		return errors.New(problem.Detail)
	}
	if into == nil {
		return nil
	}
	return json.UnmarshalRead(answer.Body, into, json.RejectUnknownMembers(true))
}

// arguments are flags of a command and the words between them.
func arguments(flags *flag.FlagSet, args []string) (words []string, err error) {
	flags.SetOutput(io.Discard)
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if args = flags.Args(); len(args) == 0 {
			return words, nil
		}
		words, args = append(words, args[0]), args[1:]
	}
}

// settingsOf are the settings of run that these commands take, too.
func settingsOf(flags *flag.FlagSet) (given *[]string) {
	given = new([]string)
	for _, s := range config.Describe() {
		if s.Name != "demo" {
			flags.Func(s.Name, "", func(value string) error {
				*given = append(*given, s.Name+"="+value)
				return nil
			})
		}
	}
	return given
}

func optionsOf(p program, c config.Config) server.Options {
	return server.Options{Address: c.Address, Folder: c.Folder, Chat: c.Chat, Console: c.Console, Pages: p.pages, Log: p.log}
}

func (p program) printJSON(value any) int {
	content, err := json.Marshal(value, jsontext.WithIndent("  "))
	if err != nil {
		return p.failed(fmt.Errorf("write JSON: %w", err))
	}
	fmt.Fprintln(p.stdout, string(content))
	return exitOK
}
