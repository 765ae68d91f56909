#!/usr/bin/env bash
# What other clients and the registry's own collector do with the same job, beside this module: the figures of docs/comparison.md.
#
#   tests/bench/peers/compare.sh [shared] [disabled] [cut] [many] [collect]        all of them without a word
#
# Needs docker-registry (distribution 2.8), nginx, curl and openssl; of skopeo, crane and regctl it takes those that are on the PATH. Everything runs on
# loopback and in a directory of its own, which goes in the end. `dotnet build -c Release RegistryTools.sln` first.
set -uo pipefail
root=$(cd "$(dirname "$0")/../../.." && pwd)
host="$root/src/RegistryTools.Host/bin/Release/net10.0/RegistryTools.Host.dll"
[ -f "$host" ] || { echo "Build it first: dotnet build -c Release RegistryTools.sln" >&2; exit 2; }
unset AWS_CA_BUNDLE
work=$(mktemp -d)
export HOME=$work REGISTRYTOOLS_DATA=$work/journal DOCKER_CONFIG=$work/docker DOTNET_CLI_HOME=$work
port=5861 front=5862
registry= proxy=
stop() { [ -z "$registry" ] || { kill "$registry"; wait "$registry" 2>/dev/null; registry=; }; [ -z "$proxy" ] || { kill "$proxy"; wait "$proxy" 2>/dev/null; proxy=; }; }
trap 'stop; rm -rf "$work"' EXIT

start() { # deletion on or off
    stop; rm -rf "$work/data"
    cat > "$work/config.yml" <<YML
version: 0.1
log: {level: error, accesslog: {disabled: false}}
storage: {filesystem: {rootdirectory: $work/data}, delete: {enabled: $1}}
http: {addr: 127.0.0.1:$port}
YML
    docker-registry serve "$work/config.yml" > "$work/log" 2>&1 & registry=$!
    for _ in $(seq 100); do curl -sf "http://127.0.0.1:$port/v2/" > /dev/null && return; sleep 0.1; done
    echo "docker-registry does not start." >&2; exit 1
}

# In front of the registry: what deletes a manifest that is there, by its digest, is cut off before it gets there, as by a network that dies at that moment.
start_proxy() {
    mkdir -p "$work/nginx"
    cat > "$work/nginx.conf" <<CONF
user root; daemon off; pid $work/nginx/pid; error_log $work/nginx/error;
events {}
http {
    access_log off; client_max_body_size 0;
    client_body_temp_path $work/nginx; proxy_temp_path $work/nginx; fastcgi_temp_path $work/nginx; uwsgi_temp_path $work/nginx; scgi_temp_path $work/nginx;
    server {
        listen 127.0.0.1:$front;
        proxy_set_header Host \$http_host;
        location / { proxy_pass http://127.0.0.1:$port; }
        location ~ "^/v2/i1/manifests/sha256:(?<hex>[0-9a-f]+)\$" {
            set \$cut \$request_method;
            if (-f $work/data/docker/registry/v2/repositories/i1/_manifests/revisions/sha256/\$hex/link) { set \$cut \$cut-what-is-there; }
            if (\$cut = DELETE-what-is-there) { return 444; }
            proxy_pass http://127.0.0.1:$port;
        }
    }
}
CONF
    nginx -c "$work/nginx.conf" 2> /dev/null & proxy=$!
    for _ in $(seq 100); do curl -sf "http://127.0.0.1:$front/v2/" > /dev/null && return; sleep 0.1; done
    echo "nginx does not start." >&2; exit 1
}

blob() { # file -> its digest, pushed to i1
    local digest; digest=sha256:$(openssl dgst -sha256 -r "$1" | cut -d' ' -f1)
    local to; to=$(curl -sf -D - -o /dev/null -X POST "http://127.0.0.1:$port/v2/i1/blobs/uploads/" | tr -d '\r' | sed -n 's/^Location: //Ip')
    curl -sf -o /dev/null -X PUT -H 'Content-Type: application/octet-stream' --data-binary "@$1" "$to&digest=$digest" || { echo "A blob can't be pushed." >&2; exit 1; }
    echo "$digest"
}
put() { curl -sf -o /dev/null -X PUT -H "Content-Type: $3" --data-binary "@$1" "http://127.0.0.1:$port/v2/i1/manifests/$2" || { echo "A manifest can't be pushed." >&2; exit 1; }; }
image() { # name -> $work/name.json, its blobs pushed
    head -c 100000 /dev/urandom > "$work/layer"
    echo "{\"architecture\":\"amd64\",\"os\":\"linux\",\"created\":\"2026-01-01T00:00:00Z\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]},\"config\":{\"Labels\":{\"n\":\"$1\"}}}" > "$work/config"
    local layer config; layer=$(blob "$work/layer"); config=$(blob "$work/config")
    printf '{"schemaVersion":2,"mediaType":"%s","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":%s},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"%s","size":100000}]}' \
        "$oci" "$config" "$(stat -c %s "$work/config")" "$layer" > "$work/$1.json"
}
oci=application/vnd.oci.image.manifest.v1+json
digest_of() { curl -s -o /dev/null -D - -I -H "Accept: $oci" -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' -H 'Accept: application/vnd.oci.image.index.v1+json' "http://127.0.0.1:$port/v2/i1/manifests/$1" | tr -d '\r' | sed -n 's/^Docker-Content-Digest: //Ip'; }
state() { # tag, digest before
    local now; now=$(digest_of "$1")
    if [ -z "$now" ]; then echo gone; elif [ "$now" = "$2" ]; then echo unchanged; else echo "**overwritten**"; fi
}
samples() { image a; image b; put "$work/a.json" T11 $oci; put "$work/b.json" T12 $oci; put "$work/b.json" T13 $oci; }

module() { dotnet "$host" -NonInteractive -Command "$1"; }
delete() { # tool, address, tag…
    local tool=$1 at=$2; shift 2
    local tag
    case $tool in
        RegistryTools) module "\$null = Connect-Registry http://$at; '$*' -split ' ' | ForEach-Object { 'i1:' + \$_ } | Remove-RegistryTag -Confirm:\$false" ;;
        skopeo) for tag; do skopeo delete --tls-verify=false "docker://$at/i1:$tag" || return; done ;;
        crane) for tag; do crane delete "$at/i1:$tag" || return; done ;;
        regctl) [ -f "$work/.regctl/$at" ] || { regctl registry set --tls=disabled --skip-check "$at" 2> /dev/null || regctl registry set --tls=disabled "$at"; mkdir -p "$work/.regctl"; touch "$work/.regctl/$at"; } > /dev/null 2>&1
            for tag; do regctl --verbosity error tag delete "$at/i1:$tag" || return; done ;;
    esac
}
tools=(RegistryTools); for tool in regctl crane skopeo; do command -v $tool > /dev/null && tools+=("$tool"); done
requests() { grep -cE '"(GET|HEAD|PUT|POST|PATCH|DELETE) ' "$work/log"; }

echo "docker-registry $(docker-registry --version | cut -d" " -f3); others on the PATH: $(for tool in regctl crane skopeo; do command -v $tool > /dev/null && echo $tool; done | xargs)"
wanted=${*:-shared disabled cut many collect}
for scenario in $wanted; do
    echo; case $scenario in
        shared) echo "## T12 and T13 point to one manifest; T12 is deleted"; echo "| tool | T12 | T13 | requests | exit code |"; echo "|---|---|---|---|---|" ;;
        disabled) echo "## Deletion is disabled in the registry, as it comes; T12 is deleted"; echo "| tool | T12 | T13 | exit code |"; echo "|---|---|---|---|" ;;
        cut) echo "## The network dies at the deletion by digest"; echo "| tool | T12 | T13 | exit code |"; echo "|---|---|---|---|" ;;
        many) echo "## 20 of 2,000 tags"; echo "| tool | tags gone | requests | seconds, the process's start included |"; echo "|---|---|---|---|" ;;
        collect) echo "## A collection of what has no tag; T1 is an index of two platforms"; echo "| collector | T1's platforms that can still be pulled | exit code |"; echo "|---|---|---|" ;;
    esac
    case $scenario in
        shared | disabled | cut)
            for tool in "${tools[@]}"; do
                start "$([ "$scenario" = disabled ] && echo false || echo true)"; samples; before=$(digest_of T12)
                at=127.0.0.1:$port; [ "$scenario" = cut ] && { start_proxy; at=127.0.0.1:$front; }
                # regctl asks the registry for what it is when it is set up: that is not part of the job.
                [ "$tool" = regctl ] && { regctl registry set --tls=disabled "$at" > /dev/null 2>&1; mkdir -p "$work/.regctl"; touch "$work/.regctl/$at"; }
                n=$(requests); delete "$tool" "$at" T12 > "$work/said" 2>&1; code=$?; n=$(($(requests) - n))
                [ "$scenario" = shared ] && echo "| $tool | $(state T12 "$before") | $(state T13 "$before") | $n | $code |" || echo "| $tool | $(state T12 "$before") | $(state T13 "$before") | $code |"
                [ -z "${VERBOSE:-}" ] || sed 's/^/    /' "$work/said"
            done ;;
        many)
            for tool in "${tools[@]}"; do
                start true; image a; image b; image c; put "$work/a.json" seed $oci
                # 2,000 tags over two manifests, laid into the storage as the registry lays them; the 20 share one that another tag has too.
                put "$work/b.json" m1 $oci; put "$work/c.json" keep $oci
                for i in $(seq 1979); do cp -r "$work/data/docker/registry/v2/repositories/i1/_manifests/tags/m1" "$work/data/docker/registry/v2/repositories/i1/_manifests/tags/m1-$i"; done
                tags=$(seq -f 'old-%g' 20); for t in $tags; do put "$work/c.json" "$t" $oci; done
                n=$(requests); t0=$(date +%s.%N); delete "$tool" "127.0.0.1:$port" $tags > "$work/said" 2>&1; t1=$(date +%s.%N); n=$(($(requests) - n))
                gone=0; for t in $tags; do [ -n "$(digest_of "$t")" ] || gone=$((gone + 1)); done
                [ -n "$(digest_of keep)" ] && kept="" || kept=" **and a twenty-first that shared their manifest**"
                echo "| $tool | $gone$kept | $n | $(echo "$t1 $t0" | awk '{ printf "%.1f", $1 - $2 }') |"
            done ;;
        collect)
            for collector in "RegistryTools" "docker-registry garbage-collect" "docker-registry garbage-collect -m"; do
                start true; image a; image b; put "$work/a.json" one $oci; put "$work/b.json" two $oci
                a=$(digest_of one) b=$(digest_of two)
                printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"%s","digest":"%s","size":%s,"platform":{"os":"linux","architecture":"amd64"}},{"mediaType":"%s","digest":"%s","size":%s,"platform":{"os":"linux","architecture":"arm64"}}]}' \
                    $oci "$a" "$(stat -c %s "$work/a.json")" $oci "$b" "$(stat -c %s "$work/b.json")" > "$work/index.json"
                put "$work/index.json" T1 application/vnd.oci.image.index.v1+json
                rm -rf "$work/data/docker/registry/v2/repositories/i1/_manifests/tags/"{one,two}
                kill "$registry"; wait "$registry" 2> /dev/null; registry=
                case $collector in
                    RegistryTools) module "Invoke-RegistryGarbageCollect '$work/data' -RemoveUntagged -MinimumAge 0s -Confirm:\$false" > "$work/said" 2>&1 ;;
                    *) docker-registry garbage-collect ${collector#docker-registry garbage-collect} "$work/config.yml" > "$work/said" 2>&1 ;;
                esac
                code=$?
                docker-registry serve "$work/config.yml" > "$work/log" 2>&1 & registry=$!
                for _ in $(seq 100); do curl -sf "http://127.0.0.1:$port/v2/" > /dev/null && break; sleep 0.1; done
                whole=0; for d in "$a" "$b"; do curl -sf -o /dev/null -H "Accept: $oci" "http://127.0.0.1:$port/v2/i1/manifests/$d" && whole=$((whole + 1)); done
                echo "| $collector | $whole of 2 | $code |"
            done ;;
        *) echo "There is no comparison '$scenario'." >&2; exit 2 ;;
    esac
done
