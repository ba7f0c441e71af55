# SPDX-License-Identifier: MIT
# mizzle in an image of its own: one file of 5 MB, and nothing else.
#
#   docker build -t mizzle .
#   docker run --rm -e DATABASE_URL -v "$PWD/drizzle:/drizzle:ro" mizzle migrate
#
# With the migrations inside, in a Dockerfile of yours:
#
#   FROM mizzle
#   COPY drizzle /drizzle
#   CMD ["migrate"]
#
# One file with both, after `docker build --target builder -t mizzle-builder .`:
#
#   FROM mizzle-builder AS bundle
#   COPY drizzle /drizzle
#   RUN mizzle bundle --dir /drizzle -o /app
#   FROM scratch
#   COPY --from=bundle /app /app
#   USER 65532:65532
#   ENTRYPOINT ["/app"]

FROM debian:12 AS builder
RUN apt-get update && apt-get install -y --no-install-recommends \
		autoconf automake ca-certificates gcc libc-ares-dev libc6-dev \
		libevent-dev libjansson-dev libssl-dev libutf8proc-dev make pkg-config \
		python3 xz-utils zlib1g-dev \
	&& rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN [ -x configure ] || autoreconf -fi
RUN mkdir /build && cd /build \
	&& /src/configure --quiet --enable-static-binary CFLAGS=-O2 \
	&& make -s -j"$(nproc)" && make -s install-strip \
	&& python3 /src/packaging/notices.py mizzle.map >/THIRD-PARTY-NOTICES \
	&& mkdir /image && cp /usr/local/bin/mizzle /THIRD-PARTY-NOTICES /src/LICENSE /image

FROM scratch
COPY --from=builder /image/ /
LABEL org.opencontainers.image.title="mizzle" \
	org.opencontainers.image.description="Drizzle migrations for PostgreSQL from one static binary" \
	org.opencontainers.image.licenses="MIT"
WORKDIR /
USER 65532:65532
ENTRYPOINT ["/mizzle"]
CMD ["--help"]
