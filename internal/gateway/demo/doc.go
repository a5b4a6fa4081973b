// Package demo is what only the demonstration shows to browsers: a sample bank
// on whose pages the chat stands, and a page with the mails and text messages
// that would be sent.
//
// Both are plain handlers for a host name of their own. They share nothing with
// the chat and the console but the process: the bank is a customer's site, with
// a content security policy as a careful customer writes it, and everything
// that it lets the chat do on its pages is the hash of one script and one
// frame. Nothing here is kept: its one sign-in is a constant in a cookie, and
// the outbox ends with the process.
package demo
