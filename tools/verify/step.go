package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// step is one command or check with a name; run writes what it has to say to
// out and returns its counts.
type step struct {
	name string
	run  func(ctx context.Context, out *bytes.Buffer) result
}

// result counts what a step checked. A step that is no test suite counts as one.
type result struct{ passed, failed int }

func verdict(err error) result {
	if err != nil {
		return result{failed: 1}
	}
	return result{passed: 1}
}

// run takes the steps one by one, or all at once when they wait for the
// network more than for the processor.
func (p project) run(ctx context.Context, steps []step, together bool) []result {
	results := make([]result, len(steps))
	var shown sync.Mutex // one step's lines stay together
	one := func(i int) {
		ctx, cancel := context.WithTimeout(ctx, p.lane.limit)
		defer cancel()
		var out bytes.Buffer
		start := time.Now()
		results[i] = steps[i].run(ctx, &out)
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			fmt.Fprintf(&out, "stopped after %s\n", p.lane.limit)
		}
		shown.Lock()
		defer shown.Unlock()
		show(steps[i].name, time.Since(start), results[i], out.String())
	}
	var all sync.WaitGroup
	for i := range steps {
		if together {
			all.Go(func() { one(i) })
		} else {
			one(i)
		}
	}
	all.Wait()
	return results
}

// notes are the lines that a passing step may still show; see the package comment.
var notes = regexp.MustCompile(`^\s*(\S+_test\.go:\d+: )?(note: .*|Benchmark\S+\s+\d+.*)$`)

func show(name string, took time.Duration, res result, out string) {
	if res.failed > 0 {
		fmt.Printf("FAIL %7.1fs  %s\n%s\n", took.Seconds(), name, strings.TrimRight(out, "\n"))
		return
	}
	fmt.Printf("ok   %7.1fs  %s\n", took.Seconds(), name)
	for line := range strings.Lines(out) {
		if m := notes.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			fmt.Println("               " + m[2])
		}
	}
}

// command runs a program in a folder of the project, in a process group of
// its own: when the time is over nothing of it stays behind.
func (p project) command(ctx context.Context, dir string, out *bytes.Buffer, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = p.path(dir)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Env = append(os.Environ(), append([]string{"CI=true", "NO_COLOR=1"}, p.lane.env...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		fmt.Fprintf(out, "%s %s: %v\n", name, strings.Join(args, " "), err)
		return err
	}
	return nil
}

// commandStep is a step that is right when the program says so.
func (p project) commandStep(label, dir, name string, args ...string) step {
	return step{label, func(ctx context.Context, out *bytes.Buffer) result {
		return verdict(p.command(ctx, dir, out, name, args...))
	}}
}
