{{- define "gateway.name" -}}
{{- printf "%s-pq-gateway" .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "gateway.selector" -}}
app.kubernetes.io/name: pq-websocket-gateway
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "gateway.labels" -}}
{{ include "gateway.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "gateway.config" -}}
{{- $own := dict "listen" ":8443" "admin" (dict "listen" ":9090") -}}
{{- if .Values.tls.secret -}}
{{- $_ := set $own "tls" (dict "cert" "/etc/pq-websocket/tls/tls.crt" "key" "/etc/pq-websocket/tls/tls.key") -}}
{{- end -}}
{{- if .Values.identity.secret -}}
{{- $_ := set $own "identity" (dict "key" "/etc/pq-websocket/identity/identity.pem") -}}
{{- end -}}
{{- merge $own (deepCopy .Values.config) | toYaml -}}
{{- end -}}

{{/* Seconds that a pod gets to end: drain.delay, drain.deadline, and 15 s for the last ones. */}}
{{- define "gateway.grace" -}}
{{- $drain := .Values.config.drain | default dict -}}
{{- $delay := hasKey $drain "delay" | ternary $drain.delay 0 -}}
{{- $deadline := hasKey $drain "deadline" | ternary $drain.deadline 30000 -}}
{{- add (div (add (int $delay) (int $deadline) 999) 1000) 15 -}}
{{- end -}}
