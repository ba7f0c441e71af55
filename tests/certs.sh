#!/bin/sh
# SPDX-License-Identifier: MIT
# certs.sh DIR: makes every certificate that tests of TLS want, with openssl.
# NAME.crt has NAME.key beside it (PEM, mode 0600) unless told otherwise.
#
# Authorities
#   root            the one to trust
#   intermediate    signed by root
#   other           an authority that signed nothing but client-other
#   both.crt        root and other in one file
# Servers, signed by root; the name of each is also its organisational unit
#   server          the good one: leaf and intermediate; localhost,
#                   db.example.test, 127.0.0.1, ::1; signed by intermediate
#   alone           the same leaf without the intermediate; no key of its own
#   direct          the same names, signed by root itself
#   wildcard        *.example.test
#   partial         loc*, *host, l*t: wildcards that must match nothing
#   ip              127.0.0.1 and ::1 alone; CN ip.example.test
#   ip-cn           127.0.0.2 alone, but CN localhost
#   cn              CN localhost, no alternative names
#   cn-ip           CN 127.0.0.1, no alternative names
#   cn-ip-dns       CN 127.0.0.1, alternative name db.example.test
#   wrong           other.example.test, but CN localhost (not to be looked at)
#   ip-dns          127.0.0.1 as if it were a name; CN *.0.0.1
#   nul             an alternative name "localhost\0.evil.test"
#   nul-too         localhost, and that
#   odd-ip          an alternative name that is an address of five bytes
#   odd-name        localhost, its subject has ESC, a line end and a quote
#   expired         localhost, until yesterday
#   future          localhost, from tomorrow
#   revoked         localhost, in root.crl
#   client-use      localhost, but for clients alone (extended key usage)
#   forged          localhost, signed by direct, which is no authority
#   ed25519         localhost, Ed25519 key, signed by root
#   rsa             localhost, RSA key, signed by root
#   pss             localhost, RSA-PSS key, signed by root
# Signed by themselves, localhost; the keys of an algorithm are the same
#   self-KEY-HASH   rsa-md5 rsa-sha1 rsa-sha224 rsa-sha256 rsa-sha384
#                   rsa-sha512 rsa-sha3-256 rsa-pss-sha384 (RSA key, PSS
#                   signature) rsapss-sha256 rsapss-sha512 ec256-sha1
#                   ec256-sha256 ec384-sha384 ec521-sha512 ed25519 ed448;
#                   one that this openssl cannot make is not there
# Clients
#   client          CN tester, signed by root
#   client.der      the same in DER; its key is client.key.der
#   client-locked   the same; key in PKCS#8, password "open sesame"
#   client-locked-old  the same in OpenSSL's own format
#   client-locked.key.der  PKCS#8 and DER
#   client-chain    CN tester, leaf and intermediate
#   client-rsa      CN tester, RSA; client-rsa-1.key is the key in PKCS#1
#   client-ed25519  CN tester, Ed25519
#   client-somebody CN somebody
#   client-other    CN tester, signed by other
#   client-expired  CN tester, until yesterday
#   client-revoked  CN tester, in root.crl
# Revocation lists
#   root.crl, intermediate.crl; all.crl = both; stale.crl = all.crl, out of date
#   crls/           both, named by hash
set -eu
umask 077
mkdir -p "$1"
cd "$1"
exec </dev/null

# Nothing of the machine's own openssl.cnf.
cat >openssl.cnf <<END
[req]
distinguished_name = name
utf8 = yes
[name]
[ca]
default_ca = this
[this]
database = index
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
organizationalUnitName = optional
commonName = optional
END
OPENSSL_CONF=$PWD/openssl.cnf
export OPENSSL_CONF
yesterday=$(date -u -d '1 day ago' +%y%m%d%H%M%SZ)
tomorrow=$(date -u -d '1 day' +%y%m%d%H%M%SZ)

# cert NAME ISSUER SUBJECT [OPTION...]: one certificate; ISSUER - is itself
cert() {
	name=$1 issuer=$2 subject=$3
	shift 3
	[ "$issuer" = - ] || set -- -CA "$issuer.crt" -CAkey "$issuer.key" "$@"
	if [ -f "$name.key" ]; then
		set -- -key "$name.key" "$@"
	else
		set -- -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
			-keyout "$name.key" "$@"
	fi
	openssl req -x509 -new -out "$name.crt" -days 3650 -sha256 \
		-subj "$subject" "$@" 2>"$name.log" || {
		cat "$name.log"
		return 1
	}
	rm "$name.log"
}

# ca NAME ISSUER
ca() {
	cert "$1" "$2" "/CN=mizzle test $1" \
		-addext basicConstraints=critical,CA:true \
		-addext keyUsage=critical,keyCertSign,cRLSign
}

# server NAME CN [ALTERNATIVE NAMES [OPTION...]]
server() {
	server=$1 cn=$2 names=${3-}
	shift "$(($# > 2 ? 3 : 2))"
	[ -z "$names" ] || set -- -addext "subjectAltName=$names" "$@"
	cert "$server" "${issuer_of:-root}" "/OU=$server/CN=$cn" \
		-addext basicConstraints=CA:false "$@"
}

# client NAME CN [OPTION...]
client() {
	client=$1 cn=$2
	shift 2
	cert "$client" "${issuer_of:-root}" "/CN=$cn" \
		-addext basicConstraints=CA:false \
		-addext extendedKeyUsage=clientAuth "$@"
}

# dated NAME SUBJECT FROM UNTIL: localhost, signed by root, with these dates
dated() {
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$1.key" -out "$1.csr" -subj "$2" \
		-addext subjectAltName=DNS:localhost 2>dated.log
	openssl ca -batch -notext -in "$1.csr" -out "$1.crt" -cert root.crt \
		-keyfile root.key -rand_serial -startdate "$3" -enddate "$4" \
		2>dated.log || {
		cat dated.log
		return 1
	}
	rm "$1.csr"
}

# crl ISSUER OUT [OPTION...]: what index has is revoked
crl() {
	issuer=$1 out=$2
	shift 2
	openssl ca -gencrl -cert "$issuer.crt" -keyfile "$issuer.key" -out "$out" \
		"$@" 2>ca.log || {
		cat ca.log
		exit 1
	}
}

self() {
	key=$1 hash=$2
	shift 2
	cp "$key.key" "self-$key-$hash.key"
	issuer_of=- server "self-$key-$hash" localhost DNS:localhost \
		"-$hash" "$@" >/dev/null || rm -f "self-$key-$hash".*
}

authorities() {
	ca root -
	ca intermediate root
	ca other -
	cat root.crt other.crt >both.crt
}

servers() {
	here=DNS:localhost,DNS:db.example.test,IP:127.0.0.1,IP:::1
	issuer_of=intermediate server server localhost $here
	cp server.crt alone.crt
	cat intermediate.crt >>server.crt
	server direct localhost $here
	server wildcard wildcard 'DNS:*.example.test'
	server partial partial 'DNS:loc*,DNS:*host,DNS:l*t'
	server ip ip.example.test IP:127.0.0.1,IP:::1
	server ip-cn localhost IP:127.0.0.2
	server cn localhost
	server cn-ip 127.0.0.1
	server cn-ip-dns 127.0.0.1 DNS:db.example.test
	server ip-dns '*.0.0.1' DNS:127.0.0.1
	server wrong localhost DNS:other.example.test
	# GeneralNames { dNSName "localhost\0.evil.test" }, { iPAddress 5 bytes }
	server nul nul DER:30:16:82:14:6c:6f:63:61:6c:68:6f:73:74:00:2e:65:76:69:6c:2e:74:65:73:74
	server nul-too nul DER:30:21:82:09:6c:6f:63:61:6c:68:6f:73:74:82:14:6c:6f:63:61:6c:68:6f:73:74:00:2e:65:76:69:6c:2e:74:65:73:74
	server odd-ip odd-ip DER:30:07:87:05:7f:00:00:01:00
	server odd-name "$(printf 'a\033[31m\n::set b"c')" DNS:localhost
	server client-use localhost DNS:localhost -addext extendedKeyUsage=clientAuth
	issuer_of=direct server forged localhost DNS:localhost
	cat direct.crt >>forged.crt
	server revoked localhost DNS:localhost -set_serial 0x7001
}

clients() {
	client client tester
	openssl x509 -in client.crt -outform DER -out client.der
	openssl pkey -in client.key -outform DER -out client.key.der
	for form in client-locked client-locked-old; do cp client.crt $form.crt; done
	openssl pkcs8 -topk8 -in client.key -out client-locked.key \
		-passout 'pass:open sesame'
	openssl pkcs8 -topk8 -in client.key -outform DER -passout 'pass:open sesame' \
		-out client-locked.key.der
	openssl pkey -in client.key -traditional -aes256 -out client-locked-old.key \
		-passout 'pass:open sesame'
	issuer_of=intermediate client client-chain tester
	cat intermediate.crt >>client-chain.crt
	client client-somebody somebody
	issuer_of=other client client-other tester
	client client-revoked tester -set_serial 0x7002
	openssl genpkey -algorithm ED25519 -out client-ed25519.key
	client client-ed25519 tester
}

lists() {
	: >index
	echo 01 >serial
	dated expired /OU=expired/CN=localhost 200101000000Z "$yesterday"
	dated future /OU=future/CN=localhost "$tomorrow" 491231235959Z
	dated client-expired /CN=tester 200101000000Z "$yesterday"
	crl intermediate intermediate.crl -crldays 3650
	crl intermediate stale.crl -crl_lastupdate 20200101000000Z \
		-crl_nextupdate 20200102000000Z
	for serial in 7001 7002; do
		printf 'R\t491231235959Z\t200102000000Z\t%s\tunknown\t/CN=x\n' $serial
	done >index
	crl root root.crl -crldays 3650
	cat root.crl intermediate.crl >all.crl
	crl root ca.crl -crl_lastupdate 20200101000000Z \
		-crl_nextupdate 20200102000000Z
	cat ca.crl >>stale.crl
	mkdir -p crls
	for list in root intermediate; do
		cp $list.crl "crls/$(openssl crl -in $list.crl -noout -hash).r0"
	done
}

algorithms() {
	openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key &
	openssl genpkey -quiet -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out rsapss.key
	wait
	for curve in 256 384 521; do
		openssl genpkey -algorithm EC -out ec$curve.key \
			-pkeyopt ec_paramgen_curve:P-$curve
	done
	openssl genpkey -algorithm ED25519 -out ed25519.key
	openssl genpkey -algorithm ED448 -out ed448.key
	for hash in md5 sha1 sha224 sha256 sha384 sha512 sha3-256; do
		self rsa $hash
	done
	self rsapss sha256
	self rsapss sha512
	self ec256 sha1
	self ec256 sha256
	self ec384 sha384
	self ec521 sha512
	cp rsa.key rsa-pss.key
	self rsa-pss sha384 -sigopt rsa_padding_mode:pss
	for key in ed25519 ed448; do
		cp $key.key self-$key.key
		issuer_of=- server self-$key localhost DNS:localhost
	done
}

# What needs both an authority and such a key.
signed_algorithms() {
	server rsa localhost DNS:localhost
	server ed25519 localhost DNS:localhost
	cp rsapss.key pss.key
	server pss localhost DNS:localhost
	cp rsa.key client-rsa.key
	client client-rsa tester
	openssl pkey -in rsa.key -traditional -out client-rsa-1.key
	rm -f ec256.key ec384.key ec521.key ed448.key rsapss.key rsa-pss.key
}

algorithms &
by_algorithm=$!
authorities
servers &
of_servers=$!
clients
lists
wait "$of_servers"
wait "$by_algorithm"
signed_algorithms
rm -f openssl.cnf index* serial* ca.crl ./*.log ./*.pem
chmod a+rx . crls
chmod a+r ./*.crt ./*.crl client.der crls/*
