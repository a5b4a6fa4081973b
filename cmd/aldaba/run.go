package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aldaba-chat/aldaba/internal/authority"
	"github.com/aldaba-chat/aldaba/internal/config"
	"github.com/aldaba-chat/aldaba/internal/seal"
	"github.com/aldaba-chat/aldaba/internal/server"
)

// patience is how long requests under way may take once the server stops.
const patience = 10 * time.Second

var errNoPages = errors.New("this binary was built without the browser pages: build and start it with `make run`")

// serve starts the server and stays until ctx ends or the server fails.
func (p program) serve(ctx context.Context, args []string) int {
	var flags []string
	for _, arg := range args {
		setting, ok := strings.CutPrefix(arg, "--")
		if !ok {
			return p.misused(fmt.Sprintf("run does not understand %q: write settings as --name=value", arg))
		}
		flags = append(flags, setting)
	}
	settings, err := config.Load(p.env, flags)
	if err != nil {
		return p.misused(err.Error())
	}
	if p.pages == nil {
		return p.failed(errNoPages)
	}
	s, err := server.Start(ctx, server.Options{
		Address: settings.Address,
		Folder:  settings.Folder,
		Chat:    settings.Chat,
		Console: settings.Console,
		Demo:    settings.Demo,
		Pages:   p.pages,
		Version: version(),
		Log:     p.log,
	})
	if err != nil && ctx.Err() != nil {
		return exitOK // interrupted while it started
	}
	if err != nil {
		return p.failed(err)
	}
	working, stop := context.WithCancel(ctx)
	defer stop()
	troubled := func(err error) { p.log.Error("the organisation's office, which this program plays", "error", err) }
	var invitation string
	if settings.Demo {
		d, err := startDemo(working, s, settings.Folder)
		if err != nil {
			return p.failed(errors.Join(err, p.stop(ctx, s)))
		}
		inv, err := d.invite(working, authority.Invite{
			Name: "Ana", Title: "Demo", Role: seal.Agent, Departments: [][16]byte{demoSealed, demoAssisted},
		})
		if err != nil {
			return p.failed(errors.Join(err, p.stop(ctx, s)))
		}
		invitation = inv.String()
		go d.serve(working, troubled)
	} else {
		k, err := keptHere(s, settings.Folder)
		if err != nil {
			return p.failed(errors.Join(err, p.stop(ctx, s)))
		}
		if k != nil {
			fmt.Fprintf(p.stdout, "The organisation's keys are kept here, in %s: %s\n", k.files.Folder, keptWeakens)
		}
		go serveKept(working, s, settings.Folder, troubled)
	}
	p.welcome(settings, s.Addr(), invitation)
	if !s.Founded() {
		fmt.Fprintf(p.stdout, "There is no organisation yet, so nobody can talk: `aldaba keys init --exchange=%s …` makes one.\n", filepath.Join(settings.Folder, "exchange"))
	}
	fmt.Fprintln(p.stdout, "Ctrl-C stops Aldaba.")

	select {
	case err = <-s.Failed():
	case <-ctx.Done():
		fmt.Fprintln(p.stdout, "stopping")
	}
	stop()
	if err := errors.Join(err, p.stop(ctx, s)); err != nil {
		return p.failed(err)
	}
	return exitOK
}

func (p program) stop(ctx context.Context, s *server.Server) error {
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	return s.Stop(stopping)
}

// welcome prints where the pages are. The invitation stands behind the #, which
// browsers do not send.
func (p program) welcome(settings config.Config, addr *net.TCPAddr, invitation string) {
	_, busy, _ := net.SplitHostPort(settings.Address) // valid, or the server had not started
	if port := strconv.Itoa(addr.Port); busy != port && busy != "0" {
		fmt.Fprintf(p.stdout, "Port %s is busy, so Aldaba uses %s.\n", busy, port)
	}
	local := func(name string) string { return fmt.Sprintf("http://%s.aldaba.localhost:%d", name, addr.Port) }
	fmt.Fprintf(p.stdout, "visitor's page  %s/c/\n", cmp.Or(settings.Chat, local("chat")))
	if invitation == "" {
		fmt.Fprintf(p.stdout, "agent's page    %s/\n", cmp.Or(settings.Console, local("console")))
		return
	}
	fmt.Fprintf(p.stdout, "agent's page    %s/#invite=%s\n", local("ana"), invitation)
	fmt.Fprintln(p.stdout, "This is a demonstration: the link above makes its first browser an agent's device,\nand this program plays the office that certifies it. Open both pages side by side.")
}
