package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
	"golang.org/x/text/unicode/norm"

	"github.com/aldaba-chat/aldaba/internal/authority"
	"github.com/aldaba-chat/aldaba/internal/config"
	"github.com/aldaba-chat/aldaba/internal/seal"
)

const keysHelp = `usage: aldaba keys <command>

  init      make the organisation's keys: --department=name:sealed (or :assisted;
            once for each, and visitors reach the first), --custody=company|operator;
            with --keep-here on the server's machine, which then plays the office
            itself: for a small shop, and for assisted departments only
  show      what the organisation is
  invite    invite a person: --name=… --department=… (once for each), and
            --title=…, --role=agent|supervisor, --days=…
  enrol     sign the certificates of devices that have an invitation, and give
            them their departments' keys; with --wait until it is interrupted
  renew     renew what has lived more than half of its time; with --all everything
  revoke    end a device: revoke <certificate>, as status shows it
  status    devices, invitations, and when each key ends

for every command:

  --keys=…             the folder of the keys (default keys); never in the server's data
  --exchange=…         the server's exchange (default: the folder exchange in its data)
  --passphrase-file=…  a file whose first line is the passphrase; without it you are asked
  --json               print JSON
`

// wait is the pause between two rounds of enrol --wait.
const wait = 2 * time.Second

// keys is the command for the organisation's keys, with what a test replaces.
type keys struct {
	program
	now func() time.Time
	// ask reads a line that nobody sees; an error when there is no terminal.
	ask  func(ctx context.Context, prompt string) (string, error)
	work int // scrypt's cost; 0 is the usual one

	files    authority.Files
	exchange string
	json     bool
}

func (p program) keys(ctx context.Context, args []string) int {
	k := keys{program: p, now: time.Now, ask: askTerminal}
	return k.run(ctx, args)
}

// request is what the flags of all commands say.
type request struct {
	departments       []string
	custody           string
	name, title, role string
	days              uint
	wait, all, here   bool
	passphrase        string // a file
	certificate       string
	takesCertificate  bool
}

func (k *keys) run(ctx context.Context, args []string) int {
	if len(args) == 0 {
		fmt.Fprint(k.stderr, keysHelp)
		return exitUsage
	}
	name, rest := args[0], args[1:]
	var r request
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	settings, err := config.Load(k.env, nil)
	if err != nil {
		return k.misused(err.Error())
	}
	flags.StringVar(&k.files.Folder, "keys", "keys", "")
	flags.StringVar(&k.exchange, "exchange", filepath.Join(settings.Folder, "exchange"), "")
	flags.StringVar(&r.passphrase, "passphrase-file", "", "")
	flags.BoolVar(&k.json, "json", false, "")
	department := func() {
		flags.Func("department", "", func(text string) error {
			r.departments = append(r.departments, text)
			return nil
		})
	}

	var do func(context.Context, request) error
	switch name {
	case "init":
		department()
		flags.StringVar(&r.custody, "custody", "", "")
		flags.BoolVar(&r.here, "keep-here", false, "")
		do = k.init
	case "show":
		do = k.show
	case "invite":
		department()
		flags.StringVar(&r.name, "name", "", "")
		flags.StringVar(&r.title, "title", "", "")
		flags.StringVar(&r.role, "role", "agent", "")
		flags.UintVar(&r.days, "days", 0, "")
		do = k.invite
	case "enrol":
		flags.BoolVar(&r.wait, "wait", false, "")
		do = k.enrol
	case "renew":
		flags.BoolVar(&r.all, "all", false, "")
		do = k.renew
	case "revoke":
		r.takesCertificate = true
		do = k.revoke
	case "status":
		do = k.status
	case "help", "--help", "-h":
		fmt.Fprint(k.stdout, keysHelp)
		return exitOK
	default:
		return k.misused(fmt.Sprintf("there is no command `keys %s`", name))
	}
	if err := r.parse(flags, rest); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(k.stdout, keysHelp)
			return exitOK
		}
		return k.misused(fmt.Sprintf("keys %s: %v", name, err))
	}
	k.files.Work = k.work
	if r.here {
		if given(flags, "keys") || r.passphrase != "" {
			return k.misused("keys init: --keep-here has a folder of its own beside the server's data, with a passphrase that it draws: leave --keys and --passphrase-file out")
		}
		kept := keptFiles(settings.Folder)
		k.files.Folder, k.files.Work = kept.Folder, kept.Work
	}
	k.files.Data = []string{settings.Folder, k.exchange}
	if filepath.Base(k.exchange) == "exchange" {
		k.files.Data = append(k.files.Data, filepath.Dir(k.exchange))
	}
	err = do(ctx, r)
	var usage misuse
	switch {
	case errors.As(err, &usage):
		return k.misused(fmt.Sprintf("keys %s: %v", name, err))
	case err != nil:
		return k.failed(err)
	}
	return exitOK
}

// given reports whether a flag was on the command line.
func given(flags *flag.FlagSet, name string) (found bool) {
	flags.Visit(func(f *flag.Flag) { found = found || f.Name == name })
	return found
}

// misuse is an error of who wrote the command line.
type misuse string

func (m misuse) Error() string { return string(m) }

// parse reads flags, and the one word that revoke takes, wherever it stands.
func (r *request) parse(flags *flag.FlagSet, args []string) error {
	for {
		if err := flags.Parse(args); err != nil {
			return err
		}
		if args = flags.Args(); len(args) == 0 {
			return nil
		}
		if !r.takesCertificate || r.certificate != "" {
			return fmt.Errorf("%q is not understood: write settings as --name=value", args[0])
		}
		r.certificate, args = args[0], args[1:]
	}
}

// passphrase reads the passphrase from a file or the terminal.
func (k *keys) passphrase(ctx context.Context, r request, fresh bool) (string, error) {
	var passphrase string
	if r.passphrase != "" {
		info, err := os.Stat(r.passphrase)
		if err != nil {
			return "", fmt.Errorf("read the passphrase: %w", err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			return "", fmt.Errorf("the passphrase in %s can be read by other users (mode %04o): run chmod 600 on it", r.passphrase, info.Mode().Perm())
		}
		content, err := os.ReadFile(r.passphrase)
		if err != nil {
			return "", fmt.Errorf("read the passphrase: %w", err)
		}
		passphrase, _, _ = strings.Cut(string(content), "\n")
		passphrase = strings.TrimSuffix(passphrase, "\r")
	} else {
		var err error
		if passphrase, err = k.ask(ctx, "passphrase of the keys: "); err != nil {
			return "", err
		}
		if fresh {
			again, err := k.ask(ctx, "the same again: ")
			if err != nil {
				return "", err
			}
			if again != passphrase {
				return "", errors.New("the two passphrases differ: begin again")
			}
		}
	}
	if n := utf8.RuneCountInString(passphrase); n < authority.MinPassphrase {
		return "", fmt.Errorf("a passphrase has at least %d characters, this one has %d: take a sentence or several words", authority.MinPassphrase, n)
	}
	return passphrase, nil
}

var errNoTerminal = errors.New("there is no terminal to ask for the passphrase: give a file with --passphrase-file=…")

// askTerminal asks on the terminal and leaves it as it was, when it is
// interrupted too.
func askTerminal(ctx context.Context, prompt string) (string, error) {
	fd := int(os.Stdin.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", errNoTerminal
	}
	fmt.Fprint(os.Stderr, prompt)
	defer fmt.Fprintln(os.Stderr)
	type answer struct {
		text []byte
		err  error
	}
	read := make(chan answer, 1)
	go func() {
		text, err := term.ReadPassword(fd)
		read <- answer{text, err}
	}()
	select {
	case a := <-read:
		if a.err != nil {
			return "", fmt.Errorf("read the passphrase: %w", a.err)
		}
		return string(a.text), nil
	case <-ctx.Done():
		return "", errors.Join(errors.New("interrupted: nothing was changed"), term.Restore(fd, before))
	}
}

// open locks the folder and reads the office. done must be called.
func (k *keys) open(ctx context.Context, r request, withRoot bool) (o *authority.Office, done func(), err error) {
	if err := k.files.Check(); err != nil {
		return nil, nil, err
	}
	if err := k.files.Present(); err != nil {
		return nil, nil, err
	}
	if k.files.Passphrase == "" {
		if k.files.Passphrase, err = k.passphrase(ctx, r, false); err != nil {
			return nil, nil, err
		}
	}
	done, err = k.files.Lock(ctx)
	if err != nil {
		return nil, nil, err
	}
	if o, err = k.files.Open(withRoot); err != nil {
		done()
		return nil, nil, err
	}
	return o, done, nil
}

// deliver tells the server what a command has changed.
func (k *keys) deliver(ctx context.Context, o *authority.Office) error {
	if err := o.Save(); err != nil {
		return err
	}
	if _, err := o.Deliver(ctx, authority.Folder(k.exchange)); err != nil {
		return fmt.Errorf("this is done here, but the server does not know of it; `aldaba keys enrol` tells it later: %w", err)
	}
	return nil
}

func (k *keys) init(ctx context.Context, r request) error {
	options := authority.Options{Now: milliseconds(k.now())}
	for _, text := range r.departments {
		i := strings.LastIndexByte(text, ':')
		if i < 0 {
			return misuse(fmt.Sprintf("--department=%s: write name:sealed or name:assisted", text))
		}
		d := authority.Department{Name: text[:i], Mode: seal.Sealed}
		switch text[i+1:] {
		case "sealed":
		case "assisted":
			d.Mode = seal.Assisted
		default:
			return misuse(fmt.Sprintf("--department=%s: a department is sealed or assisted", text))
		}
		options.Departments = append(options.Departments, d)
	}
	if len(options.Departments) == 0 {
		return misuse("name at least one department, as in --department=Support:sealed")
	}
	// The policy has departments in the order of their ids, and the first is whom
	// visitors reach.
	ids := make([][16]byte, len(options.Departments))
	for i := range ids {
		rand.Read(ids[i][:])
	}
	slices.SortFunc(ids, func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) })
	for i, id := range ids {
		options.Departments[i].ID = id
	}
	switch {
	case r.here && r.custody == "company":
		return misuse("--keep-here puts the keys into the operator's custody: leave --custody=company out")
	case r.here || r.custody == "operator":
		options.Custody = seal.Operator
	case r.custody == "company" || r.custody == "":
		options.Custody = seal.Company
	default:
		return misuse(fmt.Sprintf("--custody=%s: custody is company or operator", r.custody))
	}
	err := k.files.Check()
	if err == nil {
		err = k.files.Vacant()
	}
	if err != nil {
		return err
	}
	exchange := authority.Folder(k.exchange)
	if options.StatusKey, err = exchange.StatusKey(ctx); err != nil {
		return err
	}
	if options.Server, err = exchange.Server(ctx); err != nil {
		return err
	}
	o, err := authority.New(options)
	if err != nil {
		return err
	}
	if r.here {
		k.files.Passphrase, err = newPassphrase(k.files.Folder)
	} else {
		k.files.Passphrase, err = k.passphrase(ctx, r, true)
	}
	if err != nil {
		return err
	}
	recovery, err := k.files.Create(o)
	if err != nil {
		return err
	}
	// The code comes out once, whatever happens to the server.
	return errors.Join(k.printInit(o, recovery, r.here), k.deliver(ctx, o))
}

func (k *keys) invite(ctx context.Context, r request) error {
	roles := map[string]seal.Role{"agent": seal.Agent, "supervisor": seal.Supervisor}
	who := authority.Invite{Name: r.name, Title: r.title, Role: roles[r.role]}
	switch {
	case who.Role == 0:
		return misuse(fmt.Sprintf("--role=%s: a person is agent or supervisor", r.role))
	case r.name == "":
		return misuse("name the person, as in --name=Ana")
	case len(r.departments) == 0:
		return misuse("name the person's departments, as in --department=Support")
	case r.days > 30:
		return misuse(fmt.Sprintf("--days=%d: a certificate lasts 1 to 30 days", r.days))
	}
	who.Days = uint16(r.days)
	o, done, err := k.open(ctx, r, false)
	if err != nil {
		return err
	}
	defer done()
	for _, name := range r.departments {
		all := o.Departments()
		i := slices.IndexFunc(all, func(d authority.Department) bool {
			return d.Name == norm.NFC.String(name) || hex.EncodeToString(d.ID[:]) == name
		})
		if i < 0 {
			return fmt.Errorf("there is no department %q: there is %s", name, names(all))
		}
		who.Departments = append(who.Departments, all[i].ID)
	}
	secret, ends, err := o.Invite(who, milliseconds(k.now()))
	if err != nil {
		return err
	}
	if err := o.Save(); err != nil {
		return err
	}
	return k.printInvitation(r.name, secret, ends)
}

func (k *keys) enrol(ctx context.Context, r request) error {
	o, done, err := k.open(ctx, r, false)
	if err != nil {
		return err
	}
	o = k.forSeat(o)
	report, err := o.Serve(ctx, authority.Folder(k.exchange), milliseconds(k.now()))
	done()
	if err := errors.Join(k.printReport(report, r.wait || err != nil), err); err != nil || !r.wait {
		return err
	}
	fmt.Fprintln(k.stderr, "waiting for devices; Ctrl-C stops")
	last := ""
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		// What lasts is said once.
		err := k.round(ctx, &o)
		if ctx.Err() == nil && err != nil && err.Error() != last {
			k.failed(err)
		}
		if last = ""; err != nil {
			last = err.Error()
		}
	}
}

// forSeat opens the root too when the server's seat is due. Who keeps the root
// elsewhere hears from the round that it is needed.
func (k *keys) forSeat(o *authority.Office) *authority.Office {
	if !o.WantsSeat() {
		return o
	}
	if whole, err := k.files.Open(true); err == nil {
		return whole
	}
	return o
}

// round serves once more; the office is read again when another command has
// changed it.
func (k *keys) round(ctx context.Context, o **authority.Office) error {
	done, err := k.files.Lock(ctx)
	if err != nil {
		return err
	}
	defer done()
	current, err := k.files.Current(*o)
	if err != nil {
		return err
	}
	if !current {
		if *o, err = k.files.Open(false); err != nil {
			return err
		}
		*o = k.forSeat(*o)
	}
	report, err := (*o).Serve(ctx, authority.Folder(k.exchange), milliseconds(k.now()))
	return errors.Join(k.printReport(report, true), err)
}

func (k *keys) renew(ctx context.Context, r request) error {
	o, done, err := k.open(ctx, r, true)
	if err != nil {
		return err
	}
	defer done()
	renewal, err := o.Renew(milliseconds(k.now()), r.all)
	if err != nil {
		return err
	}
	if err := k.deliver(ctx, o); err != nil {
		return err
	}
	return k.printRenewal(renewal)
}

func (k *keys) revoke(ctx context.Context, r request) error {
	const least = 8
	text := strings.ToLower(r.certificate)
	if _, err := hex.DecodeString(text + strings.Repeat("0", len(text)%2)); err != nil || len(text) < least || len(text) > 64 {
		return misuse(fmt.Sprintf("give the certificate of a device, of which %d to 64 hexadecimal digits are enough, as `aldaba keys status` shows it", least))
	}
	o, done, err := k.open(ctx, r, false)
	if err != nil {
		return err
	}
	defer done()
	certificate, err := find(o, text)
	if err != nil {
		return err
	}
	revocation, err := o.Revoke(certificate, milliseconds(k.now()))
	if err != nil {
		return err
	}
	if err := k.deliver(ctx, o); err != nil {
		return err
	}
	return k.printRevocation(revocation)
}

// find is the certificate of a device that the digits begin; all 64 digits may
// name one that was renewed.
func find(o *authority.Office, digits string) (found [32]byte, err error) {
	if raw, err := hex.DecodeString(digits); err == nil && len(raw) == len(found) {
		return [32]byte(raw), nil
	}
	n := 0
	for _, d := range o.Devices() {
		if strings.HasPrefix(hex.EncodeToString(d.Certificate[:]), digits) {
			found = d.Certificate
			n++
		}
	}
	switch n {
	case 0:
		return found, authority.ErrNoDevice
	case 1:
		return found, nil
	}
	return found, fmt.Errorf("%d devices have a certificate that begins so: write more of it", n)
}

func names(departments []authority.Department) string {
	var all []string
	for _, d := range departments {
		all = append(all, fmt.Sprintf("%q", d.Name))
	}
	return strings.Join(all, ", ")
}
