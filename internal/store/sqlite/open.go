package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"syscall"

	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// applicationID marks a database of ours in its header: "Alda".
const applicationID = 0x416c6461

// migrations bring a database from one version to the next. Each file sets
// user_version to its place in the order of names, the first to 1.
//
//go:embed migrations/*.sql
var migrations embed.FS

// lockFolder takes the folder for this process. The lock goes with the file
// that it returns, and with the process.
func lockFolder(folder string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(folder, "lock"), os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // G304: the operator names the folder
	if err != nil {
		return nil, fmt.Errorf("the data folder %s cannot be used: %w", folder, err)
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("the data folder %s is in use by a server that is running: stop that one, or name another folder", folder)
	} else if err != nil {
		err = fmt.Errorf("the data folder %s cannot be locked: put it on a local disk (%w)", folder, err)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// prepareFile gives the path of the database, after creating an empty one for
// its owner only or making sure that what is there can be one. It must run
// before SQLite opens the file: closing it afterwards would drop SQLite's locks.
func prepareFile(folder string) (string, error) {
	name := filepath.Join(folder, "aldaba.db")
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // G304: the operator names the folder
	if err != nil {
		return "", fmt.Errorf("the database cannot be opened: %w", err)
	}
	return name, errors.Join(judgeFile(file, folder), file.Close())
}

func judgeFile(file *os.File, folder string) error {
	name := file.Name()
	if err := file.Chmod(0o600); err != nil { // the files beside it take its mode
		return fmt.Errorf("the database %s cannot be kept from other users: %w", name, err)
	}
	header := make([]byte, 16)
	switch _, err := io.ReadFull(file, header); {
	case errors.Is(err, io.EOF): // new
		if info, err := os.Stat(name + "-wal"); err == nil && info.Size() > 0 { //nolint:gosec // G703: the operator names the folder
			return fmt.Errorf("the database %s is empty and its log %s-wal is not: the database was lost, restore both from a backup", name, name)
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("the database %s cannot be opened: %w", name, err)
		}
		return syncFolder(folder)
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the database %s cannot be read: %w", name, err)
	case !bytes.Equal(header, []byte("SQLite format 3\x00")):
		return fmt.Errorf("the file %s is no database, or its header is damaged: restore a backup, or move the file away to begin anew", name)
	}
	return nil
}

// syncFolder makes the name of a new file as durable as what will be in it.
func syncFolder(folder string) error {
	d, err := os.Open(folder) //nolint:gosec // G304: the operator names the folder
	if err == nil {
		err = errors.Join(d.Sync(), d.Close())
	}
	if err != nil {
		return fmt.Errorf("the data folder %s cannot be written to the disk: %w", folder, err)
	}
	return nil
}

// address makes the driver's name of the file. Each pragma is run on every new
// connection.
func address(file string, pragmas ...string) string {
	u := url.URL{Scheme: "file", OmitHost: true, Path: file}
	if !filepath.IsAbs(file) {
		u.Path, u.Opaque = "", (&url.URL{Path: file}).EscapedPath()
	}
	u.RawQuery = url.Values{"_pragma": append([]string{"busy_timeout(5000)", "temp_store(MEMORY)"}, pragmas...)}.Encode()
	return u.String()
}

// judge refuses a database that is not ours or newer than this program, before
// anything is written to it, and gives its version, 0 for an empty one.
func judge(ctx context.Context, conn *sql.Conn, file string) (version int, err error) {
	var id, tables int
	for query, into := range map[string]*int{
		"PRAGMA application_id":              &id,
		"PRAGMA user_version":                &version,
		"SELECT count(*) FROM sqlite_schema": &tables,
	} {
		if err := conn.QueryRowContext(ctx, query).Scan(into); err != nil {
			return 0, fmt.Errorf("the database %s cannot be read, it may be damaged: restore a backup (%w)", file, err)
		}
	}
	if id != applicationID && (id != 0 || version != 0 || tables != 0) {
		return 0, fmt.Errorf("the file %s is a database of another program: name another data folder, or move the file away", file)
	}
	known, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return 0, err
	}
	if version > len(known) {
		return 0, fmt.Errorf("the database %s has version %d and this program knows up to %d: install the newer program again", file, version, len(known))
	}
	return version, nil
}

// configure makes the connection durable and reads back whether it is.
func configure(ctx context.Context, conn *sql.Conn) error {
	const settings = `
		PRAGMA journal_mode = WAL;
		PRAGMA synchronous = FULL;
		PRAGMA fullfsync = ON;
		PRAGMA checkpoint_fullfsync = ON;
		PRAGMA secure_delete = ON;
		PRAGMA foreign_keys = ON;
		PRAGMA journal_size_limit = 67108864;`
	if _, err := conn.ExecContext(ctx, settings); err != nil {
		return fmt.Errorf("the database cannot be made durable: %w", err)
	}
	return verify(ctx, conn)
}

// verify refuses a connection that could lose what it has acknowledged or keep
// what was deleted.
func verify(ctx context.Context, conn *sql.Conn) error {
	for _, c := range []struct{ name, query, want string }{
		{"journal_mode", "PRAGMA journal_mode", "wal"},
		{"synchronous", "PRAGMA synchronous", "2"},
		{"secure_delete", "PRAGMA secure_delete", "1"},
		{"foreign_keys", "PRAGMA foreign_keys", "1"},
	} {
		var got string
		if err := conn.QueryRowContext(ctx, c.query).Scan(&got); err != nil {
			return fmt.Errorf("the database's setting %s cannot be read: %w", c.name, err)
		}
		if got != c.want {
			return fmt.Errorf("the database's setting %s is %s and must be %s, or messages could be lost: put the data folder on a local disk", c.name, got, c.want)
		}
	}
	return nil
}

// migrate runs the files above the given version, each in a transaction.
func migrate(ctx context.Context, conn *sql.Conn, version int, log *slog.Logger) error {
	files, err := fs.Glob(migrations, "migrations/*.sql") // sorted
	if err != nil {
		return err
	}
	for ; version < len(files); version++ {
		name := files[version]
		text, err := migrations.ReadFile(name)
		if err != nil {
			return err
		}
		if err := migrateOnce(ctx, conn, string(text), version+1); err != nil {
			return fmt.Errorf("the database could not be brought to version %d by %s and stays as it was: %w", version+1, filepath.Base(name), err)
		}
		log.InfoContext(ctx, "database brought to a new version", "version", version+1)
	}
	return nil
}

func migrateOnce(ctx context.Context, conn *sql.Conn, text string, version int) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	err = func() error {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return err
		}
		var got int
		if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&got); err != nil {
			return err
		}
		if got != version {
			return fmt.Errorf("it sets user_version to %d", got)
		}
		return nil
	}()
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
