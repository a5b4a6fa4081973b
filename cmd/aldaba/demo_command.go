package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/aldaba-chat/aldaba/internal/config"
	"github.com/aldaba-chat/aldaba/internal/keyring"
	"github.com/aldaba-chat/aldaba/internal/seal"
)

const demoHelp = `usage: aldaba demo <command>

  links     print fresh links into the demonstration that runs
  reset     remove the demonstration's data and keys, to begin anew
`

// demo is the command for the demonstration.
func (p program) demo(ctx context.Context, args []string) int {
	if len(args) != 1 {
		fmt.Fprint(p.stderr, demoHelp)
		return exitUsage
	}
	settings, err := config.Load(p.env, nil)
	if err != nil {
		return p.misused(err.Error())
	}
	switch args[0] {
	case "links":
		err = p.demoLinks(ctx, settings.Folder)
	case "reset":
		err = p.demoReset(settings.Folder)
	case "help", "--help", "-h":
		fmt.Fprint(p.stdout, demoHelp)
	default:
		return p.misused(fmt.Sprintf("there is no command `demo %s`", args[0]))
	}
	if err != nil {
		return p.failed(err)
	}
	return exitOK
}

func (p program) demoLinks(ctx context.Context, data string) error {
	door, err := readDoor(ctx, data)
	if err != nil {
		return err
	}
	k := &keeper{files: keptFiles(data)}
	if k.files.Passphrase, err = keptPassphrase(k.files.Folder); err != nil {
		return err
	}
	if k.office, err = k.files.Open(false); err != nil {
		return err
	}
	lines, err := door.lines(ctx, k)
	if err != nil {
		return err
	}
	printLines(p.stdout, lines)
	return nil
}

// isDemo knows a demonstration by keys that stand beside the data and are in
// the company's custody all the same, which no real installation has.
func isDemo(data string) bool {
	files := keptFiles(data)
	passphrase, err := keptPassphrase(files.Folder)
	if err != nil {
		return false
	}
	files.Passphrase = passphrase
	o, err := files.Open(false)
	return err == nil && o.Custody() == seal.Company
}

// demoReset removes what a demonstration made, and nothing else.
func (p program) demoReset(data string) error {
	office := keptFiles(data).Folder
	if _, err := os.Stat(data); errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat(office); errors.Is(err, os.ErrNotExist) {
			fmt.Fprintln(p.stdout, "there is no demonstration to remove")
			return nil
		}
	} else if !isDemo(data) {
		return fmt.Errorf("%s is not the data of a demonstration, so nothing was removed", data)
	}
	if lock, err := os.Open(filepath.Join(data, "lock")); err == nil { //nolint:gosec // the operator names the data folder
		defer func() { _ = lock.Close() }() // which unlocks
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
			return fmt.Errorf("the demonstration on %s runs: stop it first, with Ctrl-C where it was started", data)
		}
	}
	for _, folder := range []string{data, office, keyring.Beside(data)} {
		if err := os.RemoveAll(folder); err != nil {
			return fmt.Errorf("remove the demonstration: %w", err)
		}
	}
	fmt.Fprintf(p.stdout, "removed %s, %s and %s\n", data, office, keyring.Beside(data))
	return nil
}
