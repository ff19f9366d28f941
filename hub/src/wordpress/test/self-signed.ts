/**
 * A certificate that nobody vouches for, for 127.0.0.1. Made for these tests and used nowhere else;
 * valid for a hundred years, so that no test begins to fail by itself.
 */
export const SELF_SIGNED = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgXiyvgxdwg9RRbtnv
iCJN/3j2RjKXLmnM2/phra5zHXWhRANCAATgC6r+L2585TCf7zxkTeWy+6KCr6mP
wud8UE7dxFumei48FZyqIHmwBwFUQluk41ALrgX0Lc7MgSv3vq8BDkGF
-----END PRIVATE KEY-----`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBoTCCAUegAwIBAgIUP/1huYKlF37nVTzsTxHU5MWPBbkwCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMc3RyYW5nZS50ZXN0MCAXDTI2MTEyMTAxMzQ0NFoYDzIxMjYx
MDI4MDEzNDQ0WjAXMRUwEwYDVQQDDAxzdHJhbmdlLnRlc3QwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAATgC6r+L2585TCf7zxkTeWy+6KCr6mPwud8UE7dxFumei48
FZyqIHmwBwFUQluk41ALrgX0Lc7MgSv3vq8BDkGFo28wbTAdBgNVHQ4EFgQU+YgW
nHN/CYt9fHlas3436OmJ2hAwHwYDVR0jBBgwFoAU+YgWnHN/CYt9fHlas3436OmJ
2hAwDwYDVR0TAQH/BAUwAwEB/zAaBgNVHREEEzARhwR/AAABgglsb2NhbGhvc3Qw
CgYIKoZIzj0EAwIDSAAwRQIhAK5rLNDlFvrs46KU2+dwEOIqj8FzOWOmScdV1p4A
HmY2AiAimYPpWd8NSmUYJXHj34vGSrP2ZXTUtLja79jNrUZqyA==
-----END CERTIFICATE-----`,
};
