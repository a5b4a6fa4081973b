package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/aldaba-chat/aldaba/internal/authority"
	"github.com/aldaba-chat/aldaba/internal/keyring"
	"github.com/aldaba-chat/aldaba/internal/seal"
	"github.com/aldaba-chat/aldaba/internal/server"
)

// The departments of the sample organisation. Visitors reach the first.
var (
	demoSealed   = [16]byte{0xde, 0x30}
	demoAssisted = [16]byte{0xde, 0x31}
)

// demo is the sample organisation, whose office this process plays.
type demo struct {
	*keeper
	door *door
}

// entrance lets people in once the demonstration has its door.
type entrance struct{ door atomic.Pointer[door] }

func (e *entrance) admits(login, token string) bool {
	d := e.door.Load()
	return d != nil && d.admits(login, token, time.Now())
}

// startDemo opens the sample organisation or makes it.
func startDemo(ctx context.Context, s *server.Server, data string) (*demo, error) {
	d := &demo{keeper: &keeper{files: keptFiles(data), exchange: s.Office()}}
	folder := d.files.Folder
	// Keys of another organisation than the data's would only wait for a server.
	if _, err := os.Lstat(filepath.Join(folder, "office.age")); s.Founded() == errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the sample organisation is in folders that belong together, and one of them is gone or another's: remove %s, %s and %s to start anew (`make run RESET=1` does), or run without --demo", data, folder, keyring.Beside(data))
	}
	err := d.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("the sample organisation in %s: %w", folder, err)
	}
	if len(d.office.Departments()) < 2 {
		return nil, fmt.Errorf("the sample organisation in %s was made by an older version: `make run RESET=1` begins anew", folder)
	}
	if d.door, err = openDoor(data, s.Addr().Port); err != nil {
		return nil, err
	}
	if err := s.Populate(ctx, demoName, profiles()); err != nil {
		return nil, fmt.Errorf("the sample's people: %w", err)
	}
	if err := d.round(ctx); err != nil {
		return nil, fmt.Errorf("%s and %s are of two organisations: remove both to start anew (`make run RESET=1` does), or run without --demo: %w", data, folder, err)
	}
	if err := s.ShowBank(ctx); err != nil {
		return nil, fmt.Errorf("put the chat on the sample bank's pages: %w", err)
	}
	return d, nil
}

func (d *demo) open(ctx context.Context) (err error) {
	if d.files.Passphrase, err = keptPassphrase(d.files.Folder); err != nil {
		return err
	}
	if d.files.Present() == nil {
		d.office, err = d.files.Open(true)
		return err
	}
	if d.files.Passphrase == "" {
		if d.files.Passphrase, err = newPassphrase(d.files.Folder); err != nil {
			return err
		}
	}
	options := authority.Options{
		Departments: []authority.Department{
			{ID: demoSealed, Name: "Atención al cliente", Mode: seal.Sealed},
			{ID: demoAssisted, Name: "Información", Mode: seal.Assisted},
		},
		Custody: seal.Company, Now: milliseconds(time.Now()),
	}
	if options.StatusKey, err = d.exchange.StatusKey(ctx); err != nil {
		return err
	}
	if options.Server, err = d.exchange.Server(ctx); err != nil {
		return err
	}
	if d.office, err = authority.New(options); err != nil {
		return err
	}
	_, err = d.files.Create(d.office)
	return err
}

// end forgets the door: its links lead nowhere once the server has stopped.
func (d *demo) end() { _ = os.Remove(filepath.Join(d.files.Folder, doorFileName)) }
