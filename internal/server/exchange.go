package server

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/aldaba-chat/aldaba/internal/assist"
	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/directory"
	"github.com/aldaba-chat/aldaba/internal/seal"
	"github.com/aldaba-chat/aldaba/internal/wire"
)

// exchange is the folder by which the server and the organisation's office meet
// (docs of `aldaba keys`): the server writes into out/ and takes from in/. The
// office's keys are on another machine, or at least in another folder.
type exchange struct {
	directory *directory.Directory
	member    *assist.Member
	folder    string
	log       *slog.Logger
}

// open makes the folders, says which key signs the status, and asks for the
// server's own certificate.
func (x *exchange) open() error {
	for _, name := range []string{"in", "out"} {
		// Revocations have no signature of their own: who may write here, may revoke.
		if err := prepareFolder(filepath.Join(x.folder, name)); err != nil {
			return fmt.Errorf("the exchange with the organisation's office: %w", err)
		}
	}
	key := x.directory.StatusKey()
	return errors.Join(
		x.put("status.pub", []byte(hex.EncodeToString(key[:])+"\n")),
		x.put("server.pub", x.member.Request()),
	)
}

// put writes a file of out/ that is either whole or not there.
func (x *exchange) put(name string, content []byte) error {
	path := filepath.Join(x.folder, "out", name)
	if old, err := os.ReadFile(path); err == nil && slices.Equal(old, content) { //nolint:gosec // below the data folder
		return nil
	}
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		return fmt.Errorf("write for the organisation's office: %w", err)
	}
	return os.Rename(path+".new", path)
}

// round puts out what the office should see and takes in what it has brought.
func (x *exchange) round(ctx context.Context) error {
	waiting, err := x.directory.Waiting(ctx)
	if err != nil {
		return err
	}
	wanted := map[string]bool{"status.pub": true}
	for _, e := range waiting {
		name := hex.EncodeToString(e.ID[:]) + ".request"
		wanted[name] = true
		if err := x.put(name, wire.AppendList(nil, e.Request, e.MAC)); err != nil {
			return err
		}
	}
	keys, err := x.directory.DeviceKeyObjects(ctx)
	if err != nil {
		return err
	}
	for _, k := range keys {
		o := new(seal.KeyObject)
		if err := seal.Parse(k, o); err != nil {
			return err
		}
		hash := o.Hash()
		name := hex.EncodeToString(hash[:]) + ".object"
		wanted[name] = true
		if err := x.put(name, k); err != nil {
			return err
		}
	}
	out, err := os.ReadDir(filepath.Join(x.folder, "out"))
	if err != nil {
		return err
	}
	for _, file := range out {
		if ext := filepath.Ext(file.Name()); (ext == ".request" || ext == ".object") && !wanted[file.Name()] {
			if err := os.Remove(filepath.Join(x.folder, "out", file.Name())); err != nil {
				return err
			}
		}
	}
	return x.take(ctx)
}

// take imports the files of in/: policies first, then certificates, then what
// rests on them.
func (x *exchange) take(ctx context.Context) error {
	in := filepath.Join(x.folder, "in")
	files, err := os.ReadDir(in)
	if err != nil {
		return err
	}
	type parcel struct {
		name    string
		content []byte
	}
	var parcels []parcel
	for _, file := range files {
		if strings.HasPrefix(file.Name(), ".") {
			continue // half written
		}
		switch filepath.Ext(file.Name()) {
		case ".object", ".answer", ".wrap", ".revoke", ".generation":
		default:
			continue // refused before, or not for us
		}
		info, err := file.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			x.refuse(in, file.Name(), errors.New("it is no regular file"))
			continue
		}
		if info.Size() > int64(seal.KindStatus.Limit()) {
			x.refuse(in, file.Name(), errors.New("the file is larger than any object"))
			continue
		}
		content, err := os.ReadFile(filepath.Join(in, file.Name())) //nolint:gosec // below the data folder
		if err != nil {
			return err
		}
		parcels = append(parcels, parcel{file.Name(), content})
	}
	rank := func(p parcel) int {
		switch seal.KindOf(p.content) {
		case seal.KindPolicy:
			return 0
		case seal.KindCertificate:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(parcels, func(a, b parcel) int {
		if order := rank(a) - rank(b); order != 0 {
			return order
		}
		return version(a.content) - version(b.content)
	})
	for _, p := range parcels {
		if err := x.deliver(ctx, p.name, p.content); err != nil {
			if !final(err) {
				return fmt.Errorf("the file %s waits: %w", p.name, err)
			}
			x.refuse(in, p.name, err)
			continue
		}
		if err := os.Remove(filepath.Join(in, p.name)); err != nil {
			return err
		}
	}
	return nil
}

// final reports whether a file is refused for what it is. What failed for
// another reason, such as a stop in the middle, is tried again: a revocation
// must not get lost.
func final(err error) bool {
	if _, ok := errors.AsType[seal.Refusal](err); ok {
		return true
	}
	return chat.KindOf(err) == chat.KindInvalid || errors.Is(err, directory.ErrNotFound)
}

// version orders policies; other objects have none.
func version(object []byte) int {
	p := new(seal.Policy)
	if seal.KindOf(object) != seal.KindPolicy || seal.Parse(object, p) != nil {
		return 0
	}
	return int(p.Version)
}

// refuse keeps what could not be taken, under a name that is not tried again.
func (x *exchange) refuse(in, name string, why error) {
	x.log.Error("a file of the organisation's office is refused", "file", name, "error", why)
	path := filepath.Join(in, name)
	if err := os.Rename(path, path+".refused"); err != nil {
		x.log.Error("a refused file cannot be put aside", "file", name, "error", err)
	}
}

func (x *exchange) deliver(ctx context.Context, name string, content []byte) error {
	stem, kind, _ := strings.Cut(name, ".")
	if second, last, ok := strings.Cut(kind, "."); ok {
		return x.deliverPair(ctx, stem, second, last, content)
	}
	hash, err := unhex(stem)
	if err != nil {
		return err
	}
	switch kind {
	case "object":
		return x.directory.Publish(ctx, content)
	case "answer":
		return x.directory.Answer(ctx, hash, content)
	case "revoke":
		return x.directory.Revoke(ctx, hash)
	}
	return chat.Invalid("file", "files of this kind are not known")
}

func (x *exchange) deliverPair(ctx context.Context, first, second, kind string, content []byte) error {
	if kind == "generation" {
		raw, err := hex.DecodeString(first)
		generation, numberErr := strconv.ParseUint(second, 10, 32)
		if err != nil || len(raw) != 16 || numberErr != nil {
			return chat.Invalid("file", "the name is not a department and a generation")
		}
		return x.directory.Generation(ctx, [16]byte(raw), uint32(generation))
	}
	device, err := unhex(first)
	if err != nil {
		return err
	}
	dept, err := unhex(second)
	if err != nil {
		return err
	}
	if kind != "wrap" {
		return chat.Invalid("file", "files of this kind are not known")
	}
	return x.directory.Wrap(ctx, device, dept, content)
}

func unhex(text string) ([32]byte, error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != 32 {
		return [32]byte{}, chat.Invalid("file", "the name is not a hash in 64 hexadecimal digits")
	}
	return [32]byte(raw), nil
}
