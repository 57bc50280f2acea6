#!/bin/sh
# Gives quicchat the certificate that certbot has renewed. Nobody is cut; who comes gets the new one.
#
#   sudo install -m 0755 certbot_hook.sh /etc/letsencrypt/renewal-hooks/deploy/quicchat
#   sudo RENEWED_LINEAGE=/etc/letsencrypt/live/chat.example.org \
#       /etc/letsencrypt/renewal-hooks/deploy/quicchat              # the first time
#
# The configuration has "certfile": "server.crt", "keyfile": "server.key". `certbot certonly
# --reuse-key` keeps the key, so that clients that know it by --pin go on.
set -eu

folder=${QUICCHAT_FOLDER:-/var/lib/quicchat}
owner=${QUICCHAT_OWNER:-quicchat:quicchat}
reload=${QUICCHAT_RELOAD:-systemctl reload quicchat}
lineage=${RENEWED_LINEAGE:?this is for certbot, which says where the certificate is}

# certbot calls this for every certificate of the computer.
if [ -n "${QUICCHAT_DOMAIN-}" ]; then
    case " ${RENEWED_DOMAINS-} " in
        *" $QUICCHAT_DOMAIN "*) ;;
        *) exit 0 ;;
    esac
fi

umask 077
for pair in privkey.pem:server.key fullchain.pem:server.crt; do
    cp "$lineage/${pair%:*}" "$folder/${pair#*:}.new"
    chown "$owner" "$folder/${pair#*:}.new"
    chmod 600 "$folder/${pair#*:}.new"
done
mv "$folder/server.key.new" "$folder/server.key"
mv "$folder/server.crt.new" "$folder/server.crt"
$reload
