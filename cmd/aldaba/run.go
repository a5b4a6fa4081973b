package main

import (
	"context"
	"errors"
	"fmt"
	"net"
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
	s, err := server.Start(ctx, server.Options{
		Address: settings.Address,
		Folder:  settings.Folder,
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
	p.welcome(settings.Address, s.Addr())

	select {
	case err = <-s.Failed():
	case <-ctx.Done():
		fmt.Fprintln(p.stdout, "stopping")
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := errors.Join(err, s.Stop(stopping)); err != nil {
		return p.failed(err)
	}
	return exitOK
}

// welcome prints where the pages are.
func (p program) welcome(asked string, addr *net.TCPAddr) {
	_, busy, _ := net.SplitHostPort(asked) // valid, or the server had not started
	if port := strconv.Itoa(addr.Port); busy != port && busy != "0" {
		fmt.Fprintf(p.stdout, "Port %s is busy, so Aldaba uses %s.\n", busy, port)
	}
	fmt.Fprintf(p.stdout, "visitor's page  http://%s/c/\n", addr)
	fmt.Fprintf(p.stdout, "agent's page    http://%s/agent/\n", addr)
	fmt.Fprintln(p.stdout, "Conversations are not part of this build yet: the pages open, and no message can be sent.")
	fmt.Fprintln(p.stdout, "Ctrl-C stops Aldaba.")
}
