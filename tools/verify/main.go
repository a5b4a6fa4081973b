// Command verify runs the checks and tests of the project in parts and says
// at the end what each part took. A part that fails does not stop the others.
//
//	verify test    everything, as CI runs it
//	verify check   the quick lane of a developer
//	verify soak    everything, with many more rounds and fresh seeds
//	verify fuzz    every fuzzer for 5 s
//	verify e2e     the browser tests
//	verify bench   the benchmarks
//
// A test that has something to report although it passes (a seed, a count)
// logs a line that begins with "note: "; verify shows those lines, and the
// lines of benchmarks.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/aldaba-chat/aldaba/tools/tree"
)

// lane is one way to run the suite.
type lane struct {
	parts    []string
	fuzzTime time.Duration
	limit    time.Duration // for one step; a step that hangs must not hang CI
	env      []string      // for the tests themselves
	looks    bool          // the browser tests of minutes as well: every screen in every look, the renewal of keys
}

var everything = []string{partBuild, partLint, partRepro, partUnit, partTorture, partFuzz, partDifferential, partBrowser}

var lanes = map[string]lane{
	"test":  {parts: everything, fuzzTime: 5 * time.Second, limit: 15 * time.Minute},
	"check": {parts: []string{partBuild, partLint, partUnit}, limit: 6 * time.Minute},
	"soak": {
		parts: everything, fuzzTime: 5 * time.Minute, limit: 8 * time.Hour, looks: true,
		env: []string{"ALDABA_ROUNDS=2000", "ALDABA_SOAK=1"},
	},
	"fuzz":  {parts: []string{partFuzz}, fuzzTime: 5 * time.Second, limit: 15 * time.Minute},
	"bench": {parts: []string{partBuild, partBench}, limit: time.Hour},
	"e2e":   {parts: []string{partBuild, partDifferential, partBrowser}, limit: 30 * time.Minute, looks: true},
}

func main() {
	if len(os.Args) != 2 || len(lanes[os.Args[1]].parts) == 0 {
		fmt.Fprintln(os.Stderr, "usage: verify test|check|soak|fuzz|e2e|bench")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ok, err := verify(ctx, lanes[os.Args[1]])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	if !ok {
		os.Exit(1)
	}
}

func verify(ctx context.Context, l lane) (bool, error) {
	root, err := tree.Root()
	if err != nil {
		return false, err
	}
	files, err := tree.Files(root)
	if err != nil {
		return false, err
	}
	p := project{root: root, files: files, lane: l}
	var report report
	for _, name := range l.parts {
		steps, err := p.steps(name)
		if err != nil {
			return false, err
		}
		if len(steps) == 0 { // nothing of its kind in the project yet
			continue
		}
		fmt.Printf("\n== %s\n", name)
		start := time.Now()
		results := p.run(ctx, steps, name == partBuild)
		report.add(name, time.Since(start), results)
		if ctx.Err() != nil {
			return false, fmt.Errorf("stopped during %q", name)
		}
	}
	return report.print(), nil
}
