{{- define "s3cors.name" -}}
{{ if contains .Chart.Name .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-{{ .Chart.Name }}{{ end }}
{{- end }}

{{- define "s3cors.selector" -}}
app.kubernetes.io/name: s3cors
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "s3cors.labels" -}}
{{ include "s3cors.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* The port of an address, such as 0.0.0.0:8080 or [::]:8080. */}}
{{- define "s3cors.port" -}}
{{- $port := regexFind "[0-9]+$" . }}
{{- if not $port }}{{ fail (printf "config: the address %q has no port" .) }}{{ end }}
{{- $port }}
{{- end }}

{{/* Whether only this pod can connect to an address: "true" or nothing. */}}
{{- define "s3cors.loopback" -}}
{{- if regexMatch "^ *(127\\.|localhost:|\\[::1\\])" . }}true{{ end }}
{{- end }}

{{/* The listeners that other pods connect to, as YAML: name, port and tls of each. The first is the Service's port. */}}
{{- define "s3cors.listeners" -}}
{{- $given := default "0.0.0.0:8080" .Values.config.listen }}
{{- if not (kindIs "slice" $given) }}{{ $given = list $given }}{{ end }}
{{- $found := list }}
{{- range $given }}
{{- $listener := . }}
{{- if kindIs "string" . }}{{ $listener = dict "address" . }}{{ end }}
{{- if not (include "s3cors.loopback" $listener.address) }}
{{- $name := ternary "https" "http" (not (empty $listener.tls)) }}
{{- $port := include "s3cors.port" $listener.address | int }}
{{- if $found }}{{ $name = printf "%s-%d" $name $port }}{{ end }}
{{- $found = append $found (dict "name" $name "port" $port "tls" (not (empty $listener.tls))) }}
{{- end }}
{{- end }}
{{- if not $found }}{{ fail "config.listen: no address that other pods can connect to; 0.0.0.0:8080 is all of a pod's" }}{{ end }}
{{- toYaml $found }}
{{- end }}

{{/* The admin listener, as YAML: s3cors.yaml's admin. */}}
{{- define "s3cors.admin" -}}
{{- $given := default "0.0.0.0:9180" .Values.config.admin }}
{{- $admin := dict }}
{{- if kindIs "string" $given }}{{ $_ := set $admin "address" $given }}{{ else }}{{ $admin = deepCopy $given }}{{ end }}
{{- if not $admin.address }}{{ $_ := set $admin "address" "0.0.0.0:9180" }}{{ end }}
{{- if include "s3cors.loopback" $admin.address }}{{ fail "config.admin: the kubelet's probes cannot connect to an address on loopback" }}{{ end }}
{{- with .Values.admin.hosts }}{{ $_ := set $admin "hosts" . }}{{ end }}
{{- if .Values.admin.tokenSecret }}{{ $_ := set $admin "token_file" "/etc/s3cors/admin/token" }}{{ end }}
{{- toYaml $admin }}
{{- end }}

{{/* How long stopping takes, as YAML: s3cors.yaml's shutdown. */}}
{{- define "s3cors.shutdown" -}}
{{- $own := dict "delay" (printf "%ds" (int .Values.shutdown.delaySeconds)) "drain" (printf "%ds" (int .Values.shutdown.drainSeconds)) }}
{{- toYaml (merge (deepCopy (default dict .Values.config.shutdown)) $own) }}
{{- end }}

{{/* A duration of s3cors.yaml in whole seconds, rounded up: 500ms, 5s, 1m 30s. */}}
{{- define "s3cors.seconds" -}}
{{- $sum := 0 }}
{{- $units := dict "s" 1 "sec" 1 "secs" 1 "second" 1 "seconds" 1 "m" 60 "min" 60 "mins" 60 "minute" 60 "minutes" 60 "h" 3600 "hr" 3600 "hrs" 3600 "hour" 3600 "hours" 3600 }}
{{- range regexFindAll "[0-9]+ *[a-z]*" (toString .) -1 }}
{{- $number := regexFind "^[0-9]+" . | int }}
{{- $unit := regexFind "[a-z]*$" . }}
{{- if eq $unit "ms" }}{{ $sum = add $sum (div (add $number 999) 1000) }}
{{- else if hasKey $units $unit }}{{ $sum = add $sum (mul $number (get $units $unit)) }}
{{- else if $number }}{{ fail (printf "config.shutdown: %q: write ms, s, m or h" .) }}{{ end }}
{{- end }}
{{- $sum }}
{{- end }}

{{/* Whether the rules are those of the value "rules": "true" or nothing. */}}
{{- define "s3cors.mounts-rules" -}}
{{- $rules := default dict .Values.config.rules }}
{{- $elsewhere := or $rules.path (not (eq (default "files" $rules.source) "files")) }}
{{- if and $elsewhere .Values.rules }}{{ fail "rules: config.rules says that rules are elsewhere; leave one of them out" }}{{ end }}
{{- if not $elsewhere }}true{{ end }}
{{- end }}

{{/* s3cors.yaml. */}}
{{- define "s3cors.config" -}}
{{- $config := deepCopy .Values.config }}
{{- $given := default dict $config.upstream }}
{{- if not (kindIs "map" $given) }}{{ $given = dict "url" $given }}{{ end }}
{{- if .Values.upstream }}{{ $_ := set $given "url" .Values.upstream }}{{ end }}
{{- if .Values.storage.enabled }}{{ $_ := set $given "url" (list "http://127.0.0.1:7070") }}{{ end }}
{{- if not $given.url }}{{ fail "upstream is required: set the address of the storage, for example --set upstream[0]=http://HOST:PORT" }}{{ end }}
{{- $_ := set $config "upstream" $given }}
{{- $_ := set $config "shutdown" (include "s3cors.shutdown" . | fromYaml) }}
{{- if or .Values.config.admin .Values.admin.hosts .Values.admin.tokenSecret }}
{{- $_ := set $config "admin" (include "s3cors.admin" . | fromYaml) }}
{{- end }}
{{- toYaml $config }}
{{- end }}

{{/* What both containers of the storage have. */}}
{{- define "s3cors.storage" -}}
securityContext:
  runAsUser: 1000
  runAsGroup: 1000
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
volumeMounts:
  - {name: data, mountPath: /data}
{{- end }}

{{- define "s3cors.account" -}}
{{- if .Values.serviceAccount.create }}{{ default (include "s3cors.name" .) .Values.serviceAccount.name }}{{ else }}{{ .Values.serviceAccount.name }}{{ end }}
{{- end }}

{{- define "s3cors.pod" -}}
{{- $admin := include "s3cors.admin" . | fromYaml }}
{{- $scheme := ternary ", scheme: HTTPS" "" (not (empty $admin.tls)) }}
{{- $shutdown := include "s3cors.shutdown" . | fromYaml }}
{{- $ends := add (include "s3cors.seconds" $shutdown.delay) (include "s3cors.seconds" $shutdown.drain) 5 }}
metadata:
  labels:
    {{- include "s3cors.selector" . | nindent 4 }}
    {{- with .Values.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  annotations:
    checksum/config: {{ include "s3cors.config" . | sha256sum }}
    {{- with .Values.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  {{- with include "s3cors.account" . }}
  serviceAccountName: {{ . }}
  {{- end }}
  automountServiceAccountToken: {{ .Values.serviceAccount.automountToken }}
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ default $ends .Values.terminationGracePeriodSeconds }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- $context := dict "runAsNonRoot" true "seccompProfile" (dict "type" "RuntimeDefault") }}
  {{- if .Values.storage.enabled }}{{ $_ := set $context "fsGroup" 1000 }}{{ end }}
  securityContext: {{ toYaml (merge (deepCopy .Values.podSecurityContext) $context) | nindent 4 }}
  {{- $spread := .Values.topologySpreadConstraints }}
  {{- if kindIs "invalid" $spread }}
  {{- $spread = list }}
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  {{- $spread = append $spread (dict "maxSkew" 1 "topologyKey" . "whenUnsatisfiable" "ScheduleAnyway") }}
  {{- end }}
  {{- end }}
  {{- with $spread }}
  topologySpreadConstraints:
    {{- range . }}
    {{- $selector := dict "labelSelector" (dict "matchLabels" (include "s3cors.selector" $ | fromYaml)) }}
    - {{ toYaml (ternary . (merge (deepCopy .) $selector) (hasKey . "labelSelector")) | nindent 6 | trim }}
    {{- end }}
  {{- end }}
  {{- if .Values.storage.enabled }}
  initContainers:
    - name: bucket
      image: {{ .Values.storage.image }}
      # A folder is a bucket.
      command: [mkdir, -p, /data/metadata, /data/objects/{{ .Values.storage.bucket }}]
      {{- include "s3cors.storage" . | nindent 6 }}
  {{- end }}
  containers:
    - name: s3cors
      image: {{ .Values.image.repository }}{{ with .Values.image.digest }}@{{ . }}{{ else }}:{{ $.Values.image.tag | default $.Chart.AppVersion }}{{ end }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        - serve
        - --config=/etc/s3cors/config/s3cors.yaml
        {{- if include "s3cors.mounts-rules" . }}
        - --rules=/etc/s3cors/rules
        {{- end }}
        {{- if not .Values.config.listen }}
        - --listen=0.0.0.0:8080
        {{- end }}
        # On all addresses, because the kubelet and Prometheus connect from outside. The NetworkPolicy admits no one else.
        - --admin={{ $admin.address }}
      {{- with .Values.extraEnv }}
      env: {{ toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.envFrom }}
      envFrom: {{ toYaml . | nindent 8 }}
      {{- end }}
      ports:
        {{- range include "s3cors.listeners" . | fromYamlArray }}
        - {name: {{ .name }}, containerPort: {{ .port }}}
        {{- end }}
        - {name: admin, containerPort: {{ include "s3cors.port" $admin.address }}}
      startupProbe:
        httpGet: {path: /readyz, port: admin{{ $scheme }}}
        periodSeconds: 1
        failureThreshold: 30
      # Fails as soon as the pod is terminating, shutdown.delay before the listener closes.
      readinessProbe:
        httpGet: {path: /readyz, port: admin{{ $scheme }}}
        periodSeconds: 2
        failureThreshold: 1
      livenessProbe:
        httpGet: {path: /healthz, port: admin{{ $scheme }}}
        periodSeconds: 10
        failureThreshold: 3
      resources: {{ toYaml .Values.resources | nindent 8 }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        runAsGroup: 65532
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
        seccompProfile: {type: RuntimeDefault}
      volumeMounts:
        - {name: s3cors-config, mountPath: /etc/s3cors/config, readOnly: true}
        {{- if include "s3cors.mounts-rules" . }}
        # The directory, not one file (subPath): a subPath mount is never updated.
        - {name: s3cors-rules, mountPath: /etc/s3cors/rules, readOnly: true}
        {{- end }}
        {{- if .Values.admin.tokenSecret }}
        - {name: s3cors-admin, mountPath: /etc/s3cors/admin, readOnly: true}
        {{- end }}
        {{- with .Values.volumeMounts }}{{ toYaml . | nindent 8 }}{{ end }}
    {{- if .Values.storage.enabled }}
    - name: storage
      image: {{ .Values.storage.image }}
      # On loopback: only the container beside it can connect.
      args: [--port, "127.0.0.1:7070", --quiet, posix, --sidecar, /data/metadata, /data/objects]
      envFrom:
        - secretRef: {name: {{ required "storage.secretName: a Secret with ROOT_ACCESS_KEY_ID and ROOT_SECRET_ACCESS_KEY" .Values.storage.secretName }}}
      {{- include "s3cors.storage" . | nindent 6 }}
    {{- end }}
  volumes:
    - name: s3cors-config
      configMap: {name: {{ include "s3cors.name" . }}-config}
    {{- if include "s3cors.mounts-rules" . }}
    - name: s3cors-rules
      configMap: {name: {{ include "s3cors.name" . }}-rules}
    {{- end }}
    {{- with .Values.admin.tokenSecret }}
    - name: s3cors-admin
      secret: {secretName: {{ . }}}
    {{- end }}
    {{- with .Values.volumes }}{{ toYaml . | nindent 4 }}{{ end }}
  {{- with .Values.nodeSelector }}
  nodeSelector: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity: {{ toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
