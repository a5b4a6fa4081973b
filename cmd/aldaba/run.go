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

	"github.com/aldaba-chat/aldaba/internal/config"
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
	var entrance entrance
	options := server.Options{
		Address: settings.Address,
		Folder:  settings.Folder,
		Chat:    settings.Chat,
		Console: settings.Console,
		Demo:    settings.Demo,
		Pages:   p.pages,
		Version: version(),
		Log:     p.log,
	}
	if settings.Demo {
		options.Admits = entrance.admits
	}
	s, err := server.Start(ctx, options)
	if err != nil && ctx.Err() != nil {
		return exitOK // interrupted while it started
	}
	if err != nil {
		return p.failed(err)
	}
	working, stop := context.WithCancel(ctx)
	defer stop()
	troubled := func(err error) { p.log.Error("the organisation's office, which this program plays", "error", err) }
	p.sayBusy(settings.Address, s.Addr())
	if settings.Demo {
		d, err := startDemo(working, s, settings.Folder)
		var lines []demoLine
		if err == nil {
			lines, err = d.door.lines(working, d.keeper)
		}
		if err != nil {
			return p.failed(errors.Join(err, p.stop(ctx, s)))
		}
		defer d.end()
		entrance.door.Store(d.door)
		go d.serve(working, troubled)
		p.welcomeToDemo(s.Addr(), lines)
	} else {
		k, err := keptHere(s, settings.Folder)
		if err != nil {
			return p.failed(errors.Join(err, p.stop(ctx, s)))
		}
		if k != nil {
			fmt.Fprintf(p.stdout, "The organisation's keys are kept here, in %s: %s\n", k.files.Folder, keptWeakens)
		}
		go serveKept(working, s, settings.Folder, troubled)
		p.welcome(settings, s.Addr())
	}
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

// sayBusy says which port was taken when the one that was asked for was busy.
func (p program) sayBusy(asked string, addr *net.TCPAddr) {
	_, busy, _ := net.SplitHostPort(asked) // valid, or the server had not started
	if port := strconv.Itoa(addr.Port); busy != port && busy != "0" {
		fmt.Fprintf(p.stdout, "Port %s is busy, so Aldaba uses %s.\n", busy, port)
	}
}

// welcome prints where the pages are.
func (p program) welcome(settings config.Config, addr *net.TCPAddr) {
	local := func(name string) string { return fmt.Sprintf("http://%s.aldaba.localhost:%d", name, addr.Port) }
	fmt.Fprintf(p.stdout, "visitor's page  %s/c/\n", cmp.Or(settings.Chat, local("chat")))
	fmt.Fprintf(p.stdout, "agent's page    %s/\n", cmp.Or(settings.Console, local("console")))
}

// welcomeToDemo prints the demonstration's pages, and how a browser on another
// machine reaches them.
func (p program) welcomeToDemo(addr *net.TCPAddr, lines []demoLine) {
	fmt.Fprintln(p.stdout, "DEMO: a sample organisation on this machine alone. Open these side by side in one\nbrowser; each link of a person signs in once, `aldaba demo links` prints fresh ones.")
	printLines(p.stdout, lines)
	for _, pair := range p.env {
		if connection, ok := strings.CutPrefix(pair, "SSH_CONNECTION="); ok {
			if way := tunnel(connection, addr.Port); way != "" {
				fmt.Fprintf(p.stdout, "Your browser is on another machine: run this there first, and keep it open:\n  %s\n", way)
			}
		}
	}
}

// tunnel is the command that brings a port of this machine to the one that is
// connected by ssh: SSH_CONNECTION has its address and port, and ours (ssh(1)).
func tunnel(connection string, port int) string {
	fields := strings.Fields(connection)
	if len(fields) != 4 {
		return ""
	}
	way := fmt.Sprintf("ssh -N -L %d:127.0.0.1:%d", port, port)
	if fields[3] != "22" {
		way += " -p " + fields[3]
	}
	return way + " " + fields[2]
}
