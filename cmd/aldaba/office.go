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

// keptWeakens says what it costs to keep the keys on the server's machine.
const keptWeakens = "whoever has this machine can certify devices in your people's names and read what they could read."

const (
	officeRound = 300 * time.Millisecond
	officeRenew = time.Hour
	// keptWork is scrypt's cost where the passphrase stands beside the files.
	keptWork = 12
)

// keptFiles are the keys of an office that this machine keeps itself: in a
// folder beside the data, never in it, with their passphrase in a file.
func keptFiles(data string) authority.Files {
	return authority.Files{Folder: filepath.Clean(data) + "-office", Data: []string{data}, Work: keptWork}
}

func passphraseFile(folder string) string { return filepath.Join(folder, "passphrase") }

// keptPassphrase reads the passphrase of keys that are kept here, or "" when
// there are none.
func keptPassphrase(folder string) (string, error) {
	content, err := os.ReadFile(passphraseFile(folder))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("the passphrase of the keys that are kept here cannot be read: %w", err)
	}
	return string(content), nil
}

// newPassphrase draws the passphrase of keys that are to be kept here.
func newPassphrase(folder string) (string, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", fmt.Errorf("the folder of the keys cannot be created: %w", err)
	}
	var secret [24]byte
	rand.Read(secret[:])
	passphrase := base64.RawURLEncoding.EncodeToString(secret[:])
	if err := os.WriteFile(passphraseFile(folder), []byte(passphrase), 0o600); err != nil {
		return "", fmt.Errorf("the passphrase of the keys cannot be kept: %w", err)
	}
	return passphrase, nil
}

// keeper plays the organisation's office in this process, with keys that are
// kept here: for a demonstration, or for a shop that chose so. Commands may work
// with the same folder meanwhile.
type keeper struct {
	files    authority.Files
	exchange authority.Exchange
	office   *authority.Office
	renewed  time.Time
}

// keptHere opens the keys that `aldaba keys init --keep-here` made for the data
// folder; nil when there are none. Those of a sample organisation are the
// demonstration's alone.
func keptHere(s *server.Server, data string) (*keeper, error) {
	k := &keeper{files: keptFiles(data), exchange: s.Office()}
	passphrase, err := keptPassphrase(k.files.Folder)
	if err != nil || passphrase == "" || k.files.Present() != nil {
		return nil, err
	}
	k.files.Passphrase = passphrase
	if k.office, err = k.files.Open(true); err != nil {
		return nil, err
	}
	if k.office.Custody() != seal.Operator {
		return nil, nil //nolint:nilnil // nothing for this process to play
	}
	return k, nil
}

// work does something with the office as its files have it, while no command
// does.
func (k *keeper) work(ctx context.Context, do func(o *authority.Office, now uint64) error) error {
	unlock, err := k.files.Lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	current, err := k.files.Current(k.office)
	if err == nil && !current {
		k.office, err = k.files.Open(true)
	}
	if err != nil {
		return err
	}
	return do(k.office, milliseconds(time.Now()))
}

// invite makes an invitation for a device.
func (k *keeper) invite(ctx context.Context, who authority.Invite) (inv seal.Invitation, err error) {
	err = k.work(ctx, func(o *authority.Office, now uint64) error {
		if inv, _, err = o.Invite(who, now); err != nil {
			return err
		}
		return o.Save()
	})
	return inv, err
}

// round renews what is due and answers the requests of devices and the server.
func (k *keeper) round(ctx context.Context) error {
	return k.work(ctx, func(o *authority.Office, now uint64) error {
		if time.Since(k.renewed) > officeRenew {
			if _, err := o.Renew(now, false); err != nil {
				return fmt.Errorf("renew certificates: %w", err)
			}
			k.renewed = time.Now()
		}
		_, err := o.Serve(ctx, k.exchange, now)
		return err
	})
}

// serve does rounds until ctx ends. What lasts is reported once.
func (k *keeper) serve(ctx context.Context, report func(error)) {
	ticker := time.NewTicker(officeRound)
	defer ticker.Stop()
	last := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := k.round(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil && err.Error() != last {
			report(err)
		}
		if last = ""; err != nil {
			last = err.Error()
		}
	}
}

// serveKept waits until there are keys that are kept here, and plays their office.
func serveKept(ctx context.Context, s *server.Server, data string, report func(error)) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		k, err := keptHere(s, data)
		switch {
		case err != nil:
			report(err)
			return
		case k != nil:
			k.serve(ctx, report)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func milliseconds(t time.Time) uint64 { return uint64(max(0, t.UnixMilli())) }
