# The image of trackalert: `docker build -t trackalert .`
#
# Run it with a volume, which keeps everything that it has acknowledged:
#   docker run -p 8084:8084 -e TRACKALERT_HTTP_PASSWORD=... -v trackalert:/var/lib/trackalert trackalert
# conf/docker/trackalert.conf says what else can be set. Further words are options of trackalert: `... trackalert -D -v`.

FROM node:24.21.0-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src src
# Optional here is only TypeScript, which a library would check its types with.
RUN npm run build && npm prune --omit=dev --omit=optional

FROM node:24.21.0-bookworm-slim
WORKDIR /opt/trackalert
COPY package.json LICENSE regexes.yaml ./
COPY conf conf
COPY man man
COPY conf/docker/trackalert.conf /etc/trackalert.conf
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
RUN chmod 0755 dist/main.js \
 && ln -s /opt/trackalert/dist/main.js /usr/local/bin/trackalert \
 && install -d -o node -g node -m 0700 /var/lib/trackalert
ENV NODE_ENV=production STATE_DIRECTORY=/var/lib/trackalert
VOLUME /var/lib/trackalert
EXPOSE 8084
# The user `node` by its number, so that an orchestrator can see that it is not root.
USER 1000:1000
HEALTHCHECK --interval=60s --timeout=10s --start-period=60s --retries=3 CMD ["trackalert", "-e", "stats()"]
ENTRYPOINT ["trackalert"]
CMD ["-D"]
