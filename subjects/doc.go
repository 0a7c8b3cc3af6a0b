// Package subjects is the one home of Kalahari's names and of its wire form.
//
// Everything another program can see of a namespace is spelled here and nowhere
// else: subjects ([Namespace]), streams, buckets and their settings
// ([Namespace.Definitions], [Provision]), the catalogue of event types, the
// mapping between CloudEvents and NATS messages ([Decode], [EncodeBinary]), and
// the permissions a NATS user needs for a role ([Namespace.Permissions]).
//
// # Tokens
//
// Namespaces, sessions and mobs are named by tokens of 1 to 128 bytes from
// A-Z a-z 0-9 _ -. [CheckToken] says so, with the offending character. The
// methods of [Namespace] that build a subject expect checked tokens: they are
// on the hot path and check nothing themselves. Whatever comes from outside
// goes through [CheckToken] or [Namespace.ParseSession] once, at the border.
//
// # Shards
//
// A session lives on shard FNV-1a-32(session) mod N, the function behind the
// server's {{partition(N,1)}} mapping. N is fixed when a namespace is
// provisioned; [Discover] reads it back.
package subjects
