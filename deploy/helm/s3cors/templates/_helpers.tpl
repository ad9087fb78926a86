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

{{/* s3cors.yaml: what the values say by name, over what they say in config. */}}
{{- define "s3cors.config" -}}
{{- $config := deepCopy .Values.config }}
{{- $upstream := .Values.upstream }}
{{- if .Values.storage.enabled }}{{ $upstream = list "http://127.0.0.1:9000" }}{{ end }}
{{- if not $upstream }}{{ fail "upstream is required: set the address of the storage, for example --set upstream[0]=http://HOST:PORT" }}{{ end }}
{{- $_ := set $config "upstream" (merge (dict "url" $upstream) (default dict $config.upstream)) }}
{{- $_ := set $config "shutdown" (dict "delay" (printf "%ds" (int .Values.shutdown.delaySeconds)) "drain" (printf "%ds" (int .Values.shutdown.drainSeconds))) }}
{{- if or .Values.admin.hosts .Values.admin.tokenSecret }}
{{- $admin := dict "address" "0.0.0.0:9180" "hosts" .Values.admin.hosts }}
{{- if .Values.admin.tokenSecret }}{{ $_ := set $admin "token_file" "/etc/s3cors/admin/token" }}{{ end }}
{{- $_ := set $config "admin" $admin }}
{{- end }}
{{- toYaml $config }}
{{- end }}

{{- define "s3cors.pod" -}}
metadata:
  labels:
    {{- include "s3cors.selector" . | nindent 4 }}
    {{- with .Values.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  annotations:
    checksum/config: {{ include "s3cors.config" . | sha256sum }}
    {{- with .Values.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ add .Values.shutdown.delaySeconds .Values.shutdown.drainSeconds 5 }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets: {{ toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    {{- if .Values.storage.enabled }}
    fsGroup: 1000
    {{- end }}
    seccompProfile: {type: RuntimeDefault}
  topologySpreadConstraints:
    {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels: {{ include "s3cors.selector" $ | nindent 10 }}
    {{- end }}
  containers:
    - name: s3cors
      image: {{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        - serve
        - --config=/etc/s3cors/config/s3cors.yaml
        - --rules=/etc/s3cors/rules
        - --listen=0.0.0.0:8080
        # On all addresses, because the kubelet and Prometheus connect from outside. The NetworkPolicy admits no one else.
        - --admin=0.0.0.0:9180
      ports:
        - {name: http, containerPort: 8080}
        - {name: admin, containerPort: 9180}
      startupProbe:
        httpGet: {path: /readyz, port: admin}
        periodSeconds: 1
        failureThreshold: 30
      # Fails as soon as the pod is terminating, shutdown.delaySeconds before the listener closes.
      readinessProbe:
        httpGet: {path: /readyz, port: admin}
        periodSeconds: 2
        failureThreshold: 1
      livenessProbe:
        httpGet: {path: /healthz, port: admin}
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
        # The directory, not one file (subPath): a subPath mount is never updated.
        - {name: s3cors-rules, mountPath: /etc/s3cors/rules, readOnly: true}
        {{- if .Values.admin.tokenSecret }}
        - {name: s3cors-admin, mountPath: /etc/s3cors/admin, readOnly: true}
        {{- end }}
    {{- if .Values.storage.enabled }}
    - name: storage
      image: {{ .Values.storage.image }}
      # On loopback: only the container beside it can connect.
      args: [server, --address=127.0.0.1:9000, --console-address=127.0.0.1:9001, --certs-dir=/tmp/certs, /data]
      envFrom:
        - secretRef: {name: {{ required "storage.secretName: a Secret with MINIO_ROOT_USER and MINIO_ROOT_PASSWORD" .Values.storage.secretName }}}
      securityContext:
        runAsUser: 1000
        runAsGroup: 1000
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
      volumeMounts:
        - {name: data, mountPath: /data}
        - {name: tmp, mountPath: /tmp}
    {{- end }}
  volumes:
    - name: s3cors-config
      configMap: {name: {{ include "s3cors.name" . }}-config}
    - name: s3cors-rules
      configMap: {name: {{ include "s3cors.name" . }}-rules}
    {{- with .Values.admin.tokenSecret }}
    - name: s3cors-admin
      secret: {secretName: {{ . }}}
    {{- end }}
    {{- if .Values.storage.enabled }}
    - name: tmp
      emptyDir: {}
    {{- end }}
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
