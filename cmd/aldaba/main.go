// Command aldaba is the whole product in one binary.
//
//	aldaba run [--address=host:port] [--folder=dir]
//	aldaba setup --organisation=… --login=… --name=…
//	aldaba user <command>
//	aldaba keys <command>
//	aldaba demo links|reset
//	aldaba version
//	aldaba help
//
// It exits with 0 when it did what was asked, 1 when that failed and 2 when
// what was asked is not understood.
package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/aldaba-chat/aldaba/internal/config"
	"github.com/aldaba-chat/aldaba/web"
)

const (
	exitOK = iota
	exitFailure
	exitUsage
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// Once stopping has begun, a second signal ends the program at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// run is the program without its process: it ends when the command has, or
// when ctx does, and returns the exit code.
func run(ctx context.Context, args, env []string, stdout, stderr io.Writer) int {
	var pages fs.FS // nil when the binary carries none
	if web.Built() {
		pages = web.Dist()
	}
	p := program{
		env: env, stdout: stdout, stderr: stderr, pages: pages,
		log: slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	return p.run(ctx, args)
}

// program is what a command works with.
type program struct {
	env            []string
	stdout, stderr io.Writer
	pages          fs.FS
	log            *slog.Logger
}

func (p program) run(ctx context.Context, args []string) int {
	if len(args) == 0 {
		fmt.Fprint(p.stderr, help())
		return exitUsage
	}
	command, rest := args[0], args[1:]
	switch command {
	case "run":
		return p.serve(ctx, rest)
	case "setup":
		return p.setup(ctx, rest)
	case "user":
		return p.users(ctx, rest)
	case "site":
		return p.sites(ctx, rest)
	case "department":
		return p.departments(ctx, rest)
	case "keys":
		return p.keys(ctx, rest)
	case "demo":
		return p.demo(ctx, rest)
	case "version", "--version":
		if len(rest) > 0 {
			return p.misused("version takes nothing behind it")
		}
		fmt.Fprintln(p.stdout, "aldaba", version())
		return exitOK
	case "help", "--help", "-h":
		fmt.Fprint(p.stdout, help())
		return exitOK
	}
	return p.misused(fmt.Sprintf("unknown command %q", command))
}

func (p program) failed(err error) int {
	fmt.Fprintln(p.stderr, "error:", err)
	return exitFailure
}

func (p program) misused(what string) int {
	fmt.Fprintf(p.stderr, "error: %s; `aldaba help` lists what there is\n", what)
	return exitUsage
}

// help describes the commands, and the settings in the words of their own package.
func help() string {
	var b strings.Builder
	b.WriteString(`usage: aldaba <command>

  run       serve the visitor's page and the agent's page on this machine
  setup     make an installation in an empty data folder; ` + "`aldaba setup --help`" + ` says how
  user      invite people, end and change their accounts; ` + "`aldaba user help`" + ` lists how
  site      websites that have the chat, and the lines for their pages; ` + "`aldaba site help`" + `
  department  departments, and how many conversations a person may have; ` + "`aldaba department help`" + `
  keys      make and use the organisation's keys; ` + "`aldaba keys help`" + ` lists how
  demo      links into the demonstration that runs, or its end; ` + "`aldaba demo help`" + `
  version   print the version
  help      print this

settings of run, as a flag or in the environment; a flag wins:

`)
	for _, s := range config.Describe() {
		fmt.Fprintf(&b, "  --%s=…, ALDABA_%s=…\n      %s (default %s)\n", s.Name, strings.ToUpper(s.Name), s.Doc, s.Default)
	}
	return b.String()
}

// version is the one that the module was fetched with; a build of a checkout
// has none.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "preview"
	}
	return info.Main.Version
}
