package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/aldaba-chat/aldaba/internal/identity"
)

// Setup makes an installation in a folder that is empty or not there: its
// database, its root key beside it, the name of the organisation and the first
// administrator, who joins by the link within the time that is given. There is
// no password until that person chooses one.
func Setup(ctx context.Context, o Options, organisation string, first identity.Profile) (link string, until time.Time, err error) {
	if err := vacant(o.Folder); err != nil {
		return "", until, err
	}
	if err := prepareFolder(o.Folder); err != nil {
		return "", until, err
	}
	port, err := portOf(o.Address)
	if err != nil {
		return "", until, err
	}
	s := &Server{failed: make(chan error, 1)}
	defer func() { err = errors.Join(err, s.close(context.WithoutCancel(ctx))) }()
	if err := s.build(ctx, o, cmp.Or(o.Log, slog.New(slog.DiscardHandler))); err != nil {
		return "", until, err
	}
	_, ticket, err := s.staff.Found(ctx, organisation, first)
	return consoleOrigin(o, port) + "/join#" + ticket.Token, ticket.Until, err
}

// vacant refuses a folder with files of somebody else. One in which a server
// has run before its setup is fine.
func vacant(folder string) error {
	files, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the data folder cannot be used: %w", err)
	}
	if _, err := os.Stat(filepath.Join(folder, "aldaba.db")); err != nil && len(files) > 0 {
		return fmt.Errorf("the data folder %s has files that are not Aldaba's: name an empty one", folder)
	}
	return nil
}

func portOf(address string) (int, error) {
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		return 0, fmt.Errorf("address %q is not host:port", address)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("port %q of the address is not a number", text)
	}
	return port, nil
}
