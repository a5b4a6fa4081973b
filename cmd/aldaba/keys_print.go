package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/aldaba-chat/aldaba/internal/authority"
	"github.com/aldaba-chat/aldaba/internal/seal"
)

// print writes a value as JSON, or a text when JSON was not asked for.
func (k *keys) print(value any, text func()) error {
	if !k.json {
		text()
		return nil
	}
	content, err := json.Marshal(value, jsontext.WithIndent("  "))
	if err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	fmt.Fprintln(k.stdout, string(content))
	return nil
}

func (k *keys) table(rows [][]string) {
	w := tabwriter.NewWriter(k.stdout, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	_ = w.Flush() // a terminal
}

func at(milliseconds uint64) time.Time {
	return time.UnixMilli(int64(milliseconds)).UTC() //nolint:gosec // below 2^53
}

func day(milliseconds uint64) string { return at(milliseconds).Format("2006-01-02 15:04 UTC") }

func hexOf[T ~[16]byte | ~[32]byte](id T) string {
	var b []byte
	switch id := any(id).(type) {
	case [16]byte:
		b = id[:]
	case [32]byte:
		b = id[:]
	}
	return hex.EncodeToString(b)
}

func modeName(mode byte) string {
	if mode == seal.Sealed {
		return "sealed"
	}
	return "assisted"
}

func roleName(role seal.Role) string {
	switch role {
	case seal.Supervisor:
		return "supervisor"
	case seal.Server:
		return "server"
	}
	return "agent"
}

type departmentJSON struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Mode string `json:"mode"`
}

func departmentsJSON(o *authority.Office) []departmentJSON {
	all := []departmentJSON{}
	for _, d := range o.Departments() {
		all = append(all, departmentJSON{hexOf(d.ID), d.Name, modeName(d.Mode)})
	}
	return all
}

func (k *keys) printInit(o *authority.Office, recovery string, here bool) error {
	value := struct {
		Org         string           `json:"org"`
		Recovery    string           `json:"recoveryCode"`
		Departments []departmentJSON `json:"departments"`
	}{hexOf(o.Org()), recovery, departmentsJSON(o)}
	return k.print(value, func() {
		fmt.Fprintf(k.stdout, "The keys of organisation %s are in %s.\n", value.Org, k.files.Folder)
		fmt.Fprintf(k.stdout, "Visitors reach %s.\n", o.Departments()[0].Name)
		if assisted(o) {
			fmt.Fprintln(k.stdout, seatText(o))
		}
		if here {
			fmt.Fprintf(k.stdout, "\nThe server plays the office itself from now on. What that weakens: %s\nNo department can be sealed while it is so. For each other command give\n  --keys=%s --passphrase-file=%s\n", keptWeakens, k.files.Folder, passphraseFile(k.files.Folder))
		}
		fmt.Fprintf(k.stdout, "\nrecovery code  %s\n\n", recovery)
		fmt.Fprintln(k.stdout, "Write it down and keep it away from this device: the program age (age-encryption.org)\nopens recovery.age with it, a copy of the root, when the passphrase is lost. It is not shown again. Copy the folder to a\nsecond place now, and again after each invitation, renewal and revocation.")
	})
}

func assisted(o *authority.Office) bool {
	return slices.ContainsFunc(o.Departments(), func(d authority.Department) bool { return d.Mode == seal.Assisted })
}

// seatText says how it stands with the server in assisted departments.
func seatText(o *authority.Office) string {
	if o.WantsSeat() {
		return "In assisted departments the server is to be a listed member that can read; it has not\nasked for its certificate yet: start it, and run `aldaba keys enrol`."
	}
	return "In assisted departments the server is a listed member that can read."
}

func (k *keys) printInvitation(name string, secret seal.Invitation, ends uint64) error {
	value := struct {
		Invitation string    `json:"invitation"`
		Ends       time.Time `json:"ends"`
	}{secret.String(), at(ends)}
	return k.print(value, func() {
		fmt.Fprintf(k.stdout, "invitation  %s\nends        %s\n\n", secret, day(ends))
		fmt.Fprintf(k.stdout, "Hand it to %s on a way that does not lead through this server: whoever has it\ncan become this person. Then sign the request with `aldaba keys enrol --wait`, which\nalso gives the device its department's keys.\n", name)
	})
}

// printReport says what a round did; with news only, a quiet one says nothing.
func (k *keys) printReport(r authority.Report, newsOnly bool) error {
	if newsOnly && r.Quiet() {
		return nil
	}
	type refusal struct {
		Request string `json:"request"`
		Cause   string `json:"cause"`
	}
	value := struct {
		Enrolled  []deviceJSON `json:"enrolled"`
		Refused   []refusal    `json:"refused"`
		Wrapped   int          `json:"departmentKeys"`
		Delivered int          `json:"delivered"`
	}{[]deviceJSON{}, []refusal{}, r.Wrapped, r.Delivered}
	for _, d := range r.Enrolled {
		value.Enrolled = append(value.Enrolled, newDeviceJSON(d))
	}
	for _, f := range r.Refused {
		value.Refused = append(value.Refused, refusal{hexOf(f.ID), f.Cause.Error()})
	}
	return k.print(value, func() {
		for _, d := range value.Enrolled {
			fmt.Fprintf(k.stdout, "enrolled %s, %s, until %s: certificate %s\n", d.Name, d.Role, d.Ends.Format("2006-01-02"), d.Certificate)
		}
		for _, f := range value.Refused {
			fmt.Fprintf(k.stdout, "refused request %s: %s\n", f.Request[:16], f.Cause)
		}
		if r.Wrapped > 0 {
			fmt.Fprintf(k.stdout, "department keys given to devices: %d\n", r.Wrapped)
		}
		if len(value.Enrolled) > 0 && r.Wrapped == 0 && !newsOnly {
			fmt.Fprintln(k.stdout, "Run this again when the device has fetched its certificate: then it gets its\ndepartment's keys. With --wait this happens by itself.")
		}
		if len(value.Enrolled)+len(value.Refused)+r.Wrapped == 0 && !newsOnly {
			fmt.Fprintln(k.stdout, "no device waits")
		}
	})
}

func (k *keys) printRenewal(r authority.Renewal) error {
	value := struct {
		Enroller    bool     `json:"enroller"`
		Departments []string `json:"departments"`
		Devices     []string `json:"devices"`
	}{r.Enroller, append([]string{}, r.Departments...), append([]string{}, r.Devices...)}
	return k.print(value, func() {
		if r.Enroller {
			fmt.Fprintln(k.stdout, "renewed the office's own certificate and the policy")
		}
		for _, name := range r.Departments {
			fmt.Fprintf(k.stdout, "renewed the keys of department %s\n", name)
		}
		for _, name := range r.Devices {
			fmt.Fprintf(k.stdout, "renewed the certificate of %s\n", name)
		}
		if len(r.Objects) == 0 {
			fmt.Fprintln(k.stdout, "nothing is due: `--all` renews everything")
		}
	})
}

func (k *keys) printRevocation(r authority.Revocation) error {
	value := struct {
		Name         string   `json:"name"`
		Certificates []string `json:"certificates"`
		Departments  int      `json:"departments"`
		Wraps        int      `json:"departmentKeys"`
	}{r.Name, []string{}, len(r.Generations), len(r.Wraps)}
	for _, c := range r.Certificates {
		value.Certificates = append(value.Certificates, hexOf(c))
	}
	return k.print(value, func() {
		fmt.Fprintf(k.stdout, "revoked the device of %s; departments with new keys: %d\n", r.Name, len(r.Generations))
		fmt.Fprintln(k.stdout, "It keeps what it could read before. The browsers of its conversations go on\nwithout it when they next write; a new visitor meets the department's new keys.")
	})
}

func (k *keys) show(ctx context.Context, r request) error {
	o, done, err := k.open(ctx, r, false)
	if err != nil {
		return err
	}
	defer done()
	policy := o.Policy()
	value := struct {
		Org           string           `json:"org"`
		PolicyVersion uint32           `json:"policyVersion"`
		PolicyTime    time.Time        `json:"policyTime"`
		Custody       string           `json:"custody"`
		StatusKey     string           `json:"statusKey"`
		Departments   []departmentJSON `json:"departments"`
	}{hexOf(o.Org()), policy.Version, at(policy.Time), "company", hexOf(policy.StatusKey), departmentsJSON(o)}
	if o.Custody() == seal.Operator {
		value.Custody = "operator"
	}
	return k.print(value, func() {
		k.table([][]string{
			{"organisation", value.Org},
			{"policy", fmt.Sprintf("version %d of %s", policy.Version, day(policy.Time))},
			{"custody", value.Custody},
			{"status key", value.StatusKey},
		})
		rows := [][]string{{}, {"department", "mode", "id"}}
		for _, d := range value.Departments {
			rows = append(rows, []string{d.Name, d.Mode, d.ID})
		}
		k.table(rows)
		if assisted(o) {
			fmt.Fprintf(k.stdout, "\n%s\n", seatText(o))
		}
	})
}

type deviceJSON struct {
	Certificate string    `json:"certificate"`
	Name        string    `json:"name"`
	Title       string    `json:"title,omitzero"`
	Role        string    `json:"role"`
	Ends        time.Time `json:"ends"`
	State       string    `json:"state"` // "ready", "without keys" or "revoked"
}

func newDeviceJSON(d authority.Device) deviceJSON {
	state := "without keys"
	switch {
	case d.Revoked:
		state = "revoked"
	case d.HasKeys:
		state = "ready"
	}
	return deviceJSON{hexOf(d.Certificate), d.Name, d.Title, roleName(d.Role), at(d.Ends), state}
}

func (k *keys) status(ctx context.Context, r request) error {
	o, done, err := k.open(ctx, r, false)
	if err != nil {
		return err
	}
	defer done()
	type end struct {
		What  string          `json:"what"`
		Name  string          `json:"name"`
		Ends  time.Time       `json:"ends"`
		Left  int             `json:"daysLeft"`
		Level authority.Level `json:"level"`
	}
	type pending struct {
		Name string    `json:"name"`
		Role string    `json:"role"`
		Ends time.Time `json:"ends"`
	}
	value := struct {
		Keys        []end        `json:"keys"`
		Devices     []deviceJSON `json:"devices"`
		Invitations []pending    `json:"invitations"`
		Undelivered int          `json:"undelivered"`
	}{[]end{}, []deviceJSON{}, []pending{}, o.Waiting()}
	now := milliseconds(k.now())
	for _, w := range o.Warnings(now) {
		value.Keys = append(value.Keys, end{w.What, w.Name, at(w.Ends), w.Left, w.Level})
	}
	for _, d := range o.Devices() {
		value.Devices = append(value.Devices, newDeviceJSON(d))
	}
	for _, i := range o.Pending(now) {
		value.Invitations = append(value.Invitations, pending{i.Name, roleName(i.Role), at(i.Ends)})
	}
	return k.print(value, func() {
		rows := [][]string{{"key", "name", "ends", "days left", ""}}
		for _, e := range value.Keys {
			rows = append(rows, []string{e.What, e.Name, e.Ends.Format("2006-01-02 15:04 UTC"), fmt.Sprint(e.Left), levelText[e.Level]})
		}
		k.table(rows)
		if len(value.Devices) > 0 {
			rows = [][]string{{}, {"device of", "role", "state", "certificate"}}
			for _, d := range value.Devices {
				rows = append(rows, []string{d.Name, d.Role, d.State, d.Certificate})
			}
			k.table(rows)
		}
		if len(value.Invitations) > 0 {
			rows = [][]string{{}, {"invited", "role", "until"}}
			for _, i := range value.Invitations {
				rows = append(rows, []string{i.Name, i.Role, i.Ends.Format("2006-01-02 15:04 UTC")})
			}
			k.table(rows)
		}
		if o.WantsSeat() {
			fmt.Fprintf(k.stdout, "\n%s\n", seatText(o))
		}
		if value.Undelivered > 0 {
			fmt.Fprintf(k.stdout, "\n%d things the server does not know of yet: `aldaba keys enrol` tells it.\n", value.Undelivered)
		}
	})
}

// levelText says what to do about the end of a key.
var levelText = map[authority.Level]string{
	authority.LevelGood:   "",
	authority.LevelSoon:   "ends within 30 days: renew",
	authority.LevelWarn:   "ends within 7 days: renew now",
	authority.LevelUrgent: "ENDS WITHIN A DAY: renew now",
	authority.LevelEnded:  "HAS ENDED: renew",
}
