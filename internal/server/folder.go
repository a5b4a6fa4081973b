package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// prepareFolder creates the data folder for its owner only. One that is there
// must not be writable by others: they could put a database of theirs into it.
func prepareFolder(folder string) error {
	if folder == "" {
		return errors.New("no data folder is set: name the folder that keeps the data")
	}
	info, err := os.Stat(folder)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return fmt.Errorf("the data folder cannot be created: %w", err)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("the data folder cannot be used: %w", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("the data folder %s is a file: name a folder", folder)
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return fmt.Errorf("the data folder %s can be written by other users (mode %04o): run chmod go-w on it or name another folder", folder, mode)
	}
	return nil
}
