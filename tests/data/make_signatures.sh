#!/bin/sh
# Signs tests/data/signatures/model with model_signing: with a key on each curve, and with a certificate. The signatures differ each
# time, because the keys are new and are thrown away. Usage: make_signatures.sh model_signing, or python3 -m model_signing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)/signatures
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -R "$here/model" "$work/model"
cd "$work"

make_key() { # FILE CURVE
    openssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:$2" -out "$1"
}

issue() { # NAME SUBJECT ISSUER EXTENSIONS
    openssl req -new -key "$1.key" -subj "$2" -out "$1.csr"
    printf '%s\n' "$4" > "$1.ext"
    openssl x509 -req -in "$1.csr" -CA "$3.pem" -CAkey "$3.key" -CAcreateserial -days 36500 -extfile "$1.ext" -out "$1.pem" 2> /dev/null
}

for curve in 256 384 521; do
    make_key "p$curve.key" "P-$curve"
    openssl pkey -in "p$curve.key" -pubout -out "$here/p$curve.pub"
    "$@" sign key model --signature model/model.sig --private_key "p$curve.key"
    mv model/model.sig "$here/p$curve.sig"
done

make_key root.key P-384
openssl req -x509 -key root.key -subj "/O=Example/CN=Root" -days 36500 -out root.pem \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
make_key issuer.key P-256
issue issuer "/O=Example/CN=Issuer" root "$(printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign')"
make_key signer.key P-384
issue signer "/O=Example/CN=Model Signer" issuer "$(printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning')"
"$@" sign certificate model --signature model/model.sig --private_key signer.key --signing_certificate signer.pem --certificate_chain issuer.pem
mv model/model.sig "$here/certificate.sig"
cp root.pem "$here/root.pem"
