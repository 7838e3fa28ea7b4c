{{/* The name that everything of a release begins with; the longest suffix is "-dashboard". */}}
{{- define "tieout.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What selects the pods of a release; never changed, since a Deployment's selector cannot be. */}}
{{- define "tieout.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "tieout.labels" -}}
{{ include "tieout.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "tieout.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{/* The environment of every container. It stands here and in no ConfigMap, so that a change of it replaces the pods. */}}
{{- define "tieout.env" -}}
- name: TIEOUT_DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ .Values.database.existingSecret.name }}
      key: {{ .Values.database.existingSecret.key }}
- name: TIEOUT_KAFKA_BOOTSTRAP_SERVERS
  value: {{ .Values.kafka.bootstrapServers | quote }}
- name: TIEOUT_KAFKA_SECURITY_PROTOCOL
  value: {{ .Values.kafka.securityProtocol | quote }}
{{- if hasPrefix "SASL_" .Values.kafka.securityProtocol }}
- name: TIEOUT_KAFKA_SASL_MECHANISM
  value: {{ .Values.kafka.sasl.mechanism | quote }}
- name: TIEOUT_KAFKA_SASL_USERNAME
  value: {{ .Values.kafka.sasl.username | quote }}
- name: TIEOUT_KAFKA_SASL_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ .Values.kafka.sasl.existingSecret.name }}
      key: {{ .Values.kafka.sasl.existingSecret.key }}
{{- end }}
{{- if .Values.kafka.tls.caSecret.name }}
- name: TIEOUT_KAFKA_SSL_CAFILE
  value: /etc/tieout-kafka/ca.crt
{{- end }}
- name: TIEOUT_KAFKA_CLUSTER
  value: {{ .Values.kafka.cluster | quote }}
- name: TIEOUT_KAFKA_GROUP
  value: {{ .Values.kafka.group | quote }}
- name: TIEOUT_KAFKA_COMMANDS_TOPIC
  value: {{ .Values.kafka.topics.commands | quote }}
- name: TIEOUT_KAFKA_EVENTS_TOPIC
  value: {{ .Values.kafka.topics.events | quote }}
- name: TIEOUT_KAFKA_DEAD_LETTERS_TOPIC
  value: {{ .Values.kafka.topics.deadLetters | quote }}
{{- if .Values.book }}
- name: TIEOUT_BOOK
  value: {{ .Values.book | quote }}
{{- end }}
- name: TIEOUT_LOG_LEVEL
  value: {{ .Values.logLevel | quote }}
- name: TIEOUT_LOG_FORMAT
  value: json
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* What only the API reads. */}}
{{- define "tieout.apiEnv" -}}
- name: TIEOUT_API_LISTEN
  value: 0.0.0.0:8420
- name: TIEOUT_API_WORKERS
  value: {{ .Values.api.workers | quote }}
# Where `project` runs, that follows the log for all.
- name: TIEOUT_API_FOLLOW
  value: {{ not .Values.project.enabled | quote }}
{{- if .Values.api.oidc.issuer }}
- name: TIEOUT_OIDC_ISSUER
  value: {{ .Values.api.oidc.issuer | quote }}
- name: TIEOUT_OIDC_AUDIENCE
  value: {{ .Values.api.oidc.audience | quote }}
{{- with .Values.api.oidc.jwksUrl }}
- name: TIEOUT_OIDC_JWKS_URL
  value: {{ . | quote }}
{{- end }}
- name: TIEOUT_OIDC_ALGORITHMS
  value: {{ .Values.api.oidc.algorithms | quote }}
- name: TIEOUT_OIDC_GRANTS_CLAIM
  value: {{ .Values.api.oidc.grantsClaim | quote }}
{{- end }}
{{- if .Values.api.inboxes.existingSecret.name }}
- name: TIEOUT_INBOXES
  valueFrom:
    secretKeyRef:
      name: {{ .Values.api.inboxes.existingSecret.name }}
      key: {{ .Values.api.inboxes.existingSecret.key }}
{{- end }}
{{- end -}}

{{- define "tieout.volumeMounts" -}}
- name: tmp
  mountPath: /tmp
{{- if .Values.kafka.tls.caSecret.name }}
- name: kafka-ca
  mountPath: /etc/tieout-kafka
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "tieout.volumes" -}}
- name: tmp
  emptyDir: {}
{{- if .Values.kafka.tls.caSecret.name }}
- name: kafka-ca
  secret:
    secretName: {{ .Values.kafka.tls.caSecret.name }}
    items:
      - key: {{ .Values.kafka.tls.caSecret.key }}
        path: ca.crt
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "tieout.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* What the pods of the workers, of the API and of the job share: who they run as, and where. */}}
{{- define "tieout.pod" -}}
{{- with .Values.serviceAccountName }}
serviceAccountName: {{ . }}
{{- end }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* A container of the job, apart from its name and its command. */}}
{{- define "tieout.oneShot" -}}
image: {{ include "tieout.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
env:
  {{- include "tieout.env" . | nindent 2 }}
resources:
  {{- toYaml .Values.init.resources | nindent 2 }}
securityContext:
  {{- include "tieout.containerSecurity" . | nindent 2 }}
volumeMounts:
  {{- include "tieout.volumeMounts" . | nindent 2 }}
{{- end -}}
