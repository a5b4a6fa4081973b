package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/aldaba-chat/aldaba/internal/authority"
	"github.com/aldaba-chat/aldaba/internal/seal"
	"github.com/aldaba-chat/aldaba/internal/server"
)

const (
	demoRound = 300 * time.Millisecond
	demoWork  = 12 // scrypt's cost: the passphrase stands beside the files anyway
)

// demoDept names the sample department.
var demoDept = [16]byte{0xde, 0x30}

// demo plays the office of a sample organisation in this process. Its keys
// stand in a folder beside the data, never in it.
type demo struct {
	office   *authority.Office
	exchange authority.Exchange
}

// startDemo opens the sample organisation or makes it, and gives an invitation
// for an agent.
func startDemo(ctx context.Context, s *server.Server, data string) (*demo, seal.Invitation, error) {
	d := &demo{exchange: s.Office()}
	files := authority.Files{Folder: filepath.Clean(data) + "-office", Data: []string{data}, Work: demoWork}
	// Keys of another organisation than the data's would only wait for a server.
	if _, err := os.Lstat(filepath.Join(files.Folder, "office.age")); s.Founded() == errors.Is(err, fs.ErrNotExist) {
		return nil, seal.Invitation{}, fmt.Errorf("the sample organisation is in two folders that belong together, and one of them is gone or another's: remove both, %s and %s, to start anew, or run without --demo", data, files.Folder)
	}
	passphrase, fresh, err := demoPassphrase(files.Folder)
	if err != nil {
		return nil, seal.Invitation{}, err
	}
	files.Passphrase = passphrase
	if fresh {
		err = d.found(ctx, files)
	} else {
		d.office, err = files.Open(true)
	}
	if err != nil {
		return nil, seal.Invitation{}, fmt.Errorf("the sample organisation in %s: %w", files.Folder, err)
	}
	now := milliseconds(time.Now())
	if _, err := d.office.Renew(now, false); err != nil {
		return nil, seal.Invitation{}, fmt.Errorf("renew the sample organisation's certificates: %w", err)
	}
	invitation, _, err := d.office.Invite(authority.Invite{
		Name: "Ana", Title: "Demo", Role: seal.Agent, Departments: [][16]byte{demoDept},
	}, now)
	if err != nil {
		return nil, invitation, fmt.Errorf("invite the sample agent: %w", err)
	}
	if _, err := d.office.Serve(ctx, d.exchange, now); err != nil {
		return nil, invitation, fmt.Errorf("%s and %s are of two organisations: remove both to start anew, or run without --demo: %w", data, files.Folder, err)
	}
	return d, invitation, nil
}

func (d *demo) found(ctx context.Context, files authority.Files) error {
	key, err := d.exchange.StatusKey(ctx)
	if err != nil {
		return err
	}
	d.office, err = authority.New(authority.Options{
		Departments: []authority.Department{{ID: demoDept, Name: "Atención al cliente", Mode: seal.Sealed}},
		StatusKey:   key, Custody: seal.Company, Now: milliseconds(time.Now()),
	})
	if err != nil {
		return err
	}
	_, err = files.Create(d.office)
	return err
}

// demoPassphrase reads the passphrase of the sample organisation or makes one;
// fresh says that there are no keys yet.
func demoPassphrase(folder string) (passphrase string, fresh bool, err error) {
	name := filepath.Join(folder, "passphrase")
	content, err := os.ReadFile(name) //nolint:gosec // beside the data folder, which the operator names
	if err == nil {
		_, err := os.Lstat(filepath.Join(folder, "office.age"))
		return string(content), errors.Is(err, fs.ErrNotExist), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", false, fmt.Errorf("the sample organisation's passphrase cannot be read: %w", err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", false, fmt.Errorf("the folder of the sample organisation's keys cannot be created: %w", err)
	}
	var secret [24]byte
	rand.Read(secret[:])
	passphrase = base64.RawURLEncoding.EncodeToString(secret[:])
	return passphrase, true, os.WriteFile(name, []byte(passphrase), 0o600)
}

// serve answers the requests of devices until ctx ends.
func (d *demo) serve(ctx context.Context, report func(error)) {
	ticker := time.NewTicker(demoRound)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if _, err := d.office.Serve(ctx, d.exchange, milliseconds(time.Now())); err != nil && ctx.Err() == nil {
				report(err)
			}
		}
	}
}

func milliseconds(t time.Time) uint64 { return uint64(max(0, t.UnixMilli())) }
