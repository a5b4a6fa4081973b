package identity

import (
	"context"
	"errors"

	"github.com/aldaba-chat/aldaba/internal/chat"
)

// mostDevices of one account.
const mostDevices = 32

// BindDevice says that a device is an account's, for good. A device is named by
// its public signature key, which stays when its certificate is renewed; the
// request for a certificate proves that whoever sends it has the key. A key that
// another account has is refused.
func (s *Staff) BindDevice(ctx context.Context, account chat.StaffID, key [32]byte) error {
	return s.store.WriteStaff(ctx, func(tx Tx) error {
		if _, err := person(tx, account); err != nil {
			return err
		}
		keys, err := tx.DevicesOf(account)
		if err != nil {
			return err
		}
		if owner, err := tx.Device(key); err == nil && owner == account {
			return nil
		}
		if len(keys) >= mostDevices {
			return &chat.Error{Kind: chat.KindRateLimited, Limit: mostDevices, Message: "this person has too many devices: remove the account and invite the person anew"}
		}
		if err := tx.PutDevice(key, account, s.milli()); errors.Is(err, ErrTaken) {
			return &chat.Error{Kind: chat.KindConflict, Code: "device_of_another", Message: "this browser belongs to somebody else: use another browser or another profile"}
		} else if err != nil {
			return err
		}
		return nil
	})
}

// DeviceOf is the account that a device's key belongs to.
func (s *Staff) DeviceOf(ctx context.Context, key [32]byte) (account chat.StaffID, err error) {
	err = s.store.ReadStaff(ctx, func(tx Tx) error {
		account, err = tx.Device(key)
		if errors.Is(err, ErrNotFound) {
			return &chat.Error{Kind: chat.KindDenied, Code: "device_of_nobody", Message: "this device belongs to nobody: sign in and enrol it"}
		}
		return err
	})
	return account, err
}

// DevicesOf gives the keys of an account's devices, the oldest first.
func (s *Staff) DevicesOf(ctx context.Context, account chat.StaffID) (keys [][32]byte, err error) {
	err = s.store.ReadStaff(ctx, func(tx Tx) error {
		keys, err = tx.DevicesOf(account)
		return err
	})
	return keys, err
}
